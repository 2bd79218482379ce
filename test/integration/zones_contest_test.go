// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/podinfo"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// noticed bounds the time until a pod sees that its route was taken: routes are
// looked at 2 s and 6 s after a claim, then every --describe-interval.
const noticed = shortest + patience

// TestOfTwoRivalsForARouteTheOneThatStaysHasIt: both pods believe to be active.
// The one whose routes were taken says so, takes nothing back before its hold-down
// ends, and has them again as soon as its rival lets go.
func TestOfTwoRivalsForARouteTheOneThatStaysHasIt(t *testing.T) {
	t.Parallel()
	l := newZones(t)
	args := append(across(), "--hold-down=5m", "--describe-interval="+shortest.String())
	a, b := l.container("upf-a"), l.container("upf-b")
	p := a.ready(args...)
	b.ready(args...)
	l.add("upf-a", "net1", outside...)
	l.answers("upf-a", outside...)
	l.untilRoutedEverywhere("a-core")
	l.VPC.ResetCalls()
	l.add("upf-b", "net1", outside...)
	l.answers("upf-b", outside...)
	l.untilRoutedEverywhere("b-core")
	l.untilAnswered("upf-b")
	for _, addr := range outside {
		for _, table := range tables {
			l.within(noticed, addr+" in "+table+" contested", func() (any, bool) {
				row, _ := a.routeRow(addr, table)
				return row, row.State == ledger.Contested && row.Owner == l.id("b-core") && row.Cure != "" && row.Retry != nil
			})
			p.untilLogged("address held by another ENI", "address", addr, "route_table", tableID(table), "owner", l.id("b-core"))
		}
	}
	if got := l.changes("worker-a"); len(got) > 0 {
		t.Errorf("upf-a takes back what is contested: %+v", got)
	}

	l.del("upf-b", "net1", outside...)
	l.untilRoutedEverywhere("a-core")
	l.untilAnswered("upf-a")
	for _, addr := range outside {
		for _, table := range tables {
			a.untilRouteState(addr, table, ledger.Assigned)
			left, back := l.changed("DeleteRoute", "worker-b", addr, table), l.changed("CreateRoute", "worker-a", addr, table)
			if left.IsZero() || back.IsZero() {
				t.Errorf("%s in %s came back otherwise than by DeleteRoute and CreateRoute", addr, table)
			}
			t.Logf("%s in %s came back %v after the rival let go", addr, table, back.Sub(left).Round(time.Millisecond))
		}
	}
}

// changed is when EC2 carried a worker's change of a route out, the last time.
func (l *lab) changed(action, worker, address, table string) (at time.Time) {
	for _, c := range l.changes(worker) {
		if c.Action == action && c.Effective && c.RouteTable == tableID(table) && strings.HasPrefix(c.Addresses[0], address+"/") {
			at = c.Time.Add(c.Duration)
		}
	}
	return at
}

// TestRivalsForARouteTakeItOncePerHoldDown, as long as neither lets go.
func TestRivalsForARouteTakeItOncePerHoldDown(t *testing.T) {
	t.Parallel()
	const holdDown = 4 * time.Second
	l := newZones(t)
	args := append(across(), "--hold-down="+holdDown.String(), "--describe-interval="+shortest.String())
	p := l.container("upf-a").ready(args...)
	l.container("upf-b").ready(args...)
	l.add("upf-a", "net1", outside...)
	l.untilRoutedEverywhere("a-core")
	l.add("upf-b", "net1", outside...)
	l.within(noticed, "routes claimed again after their hold-down", func() (any, bool) {
		n := len(p.logged("address claimed again after its hold-down"))
		return n, n >= len(tables)*len(outside)
	})
	for _, worker := range []string{"worker-a", "worker-b"} {
		last := map[string]model.Call{}
		for _, c := range l.changes(worker) {
			if !c.Effective {
				continue
			}
			route := c.RouteTable + " " + c.Addresses[0]
			// A call may be under way for long, so not the whole hold-down.
			if before, again := last[route]; again && c.Time.Sub(before.Time) < holdDown/2 {
				t.Errorf("%s takes %s twice in %v: %+v, %+v", worker, route, c.Time.Sub(before.Time), before, c)
			}
			last[route] = c
		}
	}
}

// TestRouteTablesAreFollowedInTheAnnotationsFile: without a restart, in both
// directions.
func TestRouteTablesAreFollowedInTheAnnotationsFile(t *testing.T) {
	t.Parallel()
	l := newZones(t)
	c := l.container("upf-a")
	file := l.annotate(c, nil)
	p := c.ready("--annotations-file=" + file)
	l.add("upf-a", "net1", outside...)
	for _, addr := range outside {
		l.eventually(addr+" refused as outside of the subnet", func() (any, bool) {
			row, _ := c.row(addr)
			return row, row.State == ledger.Failed && row.Code == "AddressOutsideSubnet"
		})
	}
	l.untilRoutedEverywhere("")
	for _, in := range [][]string{{"main"}, {"main", "zone-b"}, {"zone-b"}, {"zone-b", "main"}} {
		l.annotate(c, map[string]string{podinfo.FloatingIPsKey: strings.Join(outside, ","), podinfo.RouteTablesKey: strings.Join(tableIDs(in), ",")})
		for _, table := range tables {
			eni := ""
			if slices.Contains(in, table) {
				eni = "a-core"
			}
			l.untilRouted(table, eni, outside...)
		}
		c.untilReady()
	}
	if !p.running() {
		t.Error("the registrar has ended")
	}
	l.annotate(c, map[string]string{podinfo.RouteTablesKey: "rtb-"})
	p.untilLogged("the pod's annotations are not understood", "level", "WARN")
	l.untilRoutedEverywhere("a-core")
}

// annotate replaces the container's annotations file by the exchange of a link,
// as the kubelet does, and returns its path.
func (l *lab) annotate(c *container, annotations map[string]string) string {
	l.t.Helper()
	dir := filepath.Join(filepath.Dir(c.state), "podinfo")
	check(l.t, os.MkdirAll(dir, 0o755))
	data, err := os.MkdirTemp(dir, "..")
	check(l.t, err)
	check(l.t, os.Chmod(data, 0o755))
	var text strings.Builder
	for k, v := range annotations {
		fmt.Fprintf(&text, "%s=%q\n", k, v)
	}
	check(l.t, os.WriteFile(filepath.Join(data, "annotations"), []byte(text.String()), 0o644))
	check(l.t, os.Symlink(filepath.Base(data), filepath.Join(dir, "..new")))
	check(l.t, os.Rename(filepath.Join(dir, "..new"), filepath.Join(dir, "..data")))
	file := filepath.Join(dir, "annotations")
	if _, err := os.Lstat(file); err != nil {
		check(l.t, os.Symlink(filepath.Join("..data", "annotations"), file))
	}
	return file
}

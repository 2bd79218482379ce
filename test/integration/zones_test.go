// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/vswitch"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// TestAFloatingIPCrossesZones: claimed in both route tables when it appears,
// handed over, and released.
func TestAFloatingIPCrossesZones(t *testing.T) {
	t.Parallel()
	l := newZones(t)
	a := l.container("upf-a").ready(across()...)
	b := l.container("upf-b").ready(across()...)
	for _, p := range []*process{a, b} {
		if told := p.logged("a failover to this pod would be refused"); len(told) > 0 {
			t.Errorf("a failover that nothing forbids: %v", told)
		}
	}
	l.add("upf-a", "net1", outside...)
	l.answers("upf-a", outside...)
	l.untilRoutedEverywhere("a-core")
	l.untilAnswered("upf-a")
	l.wantHeld("a-core", "10.0.1.100", "2001:db8:0:1::100") // no secondary addresses

	l.del("upf-a", "net1", outside...)
	l.add("upf-b", "net1", outside...)
	l.answers("upf-b", outside...)
	l.untilRoutedEverywhere("b-core")
	l.untilAnswered("upf-b")
	l.eventually("upf-a's release told", func() (any, bool) {
		n := len(a.logged("address released"))
		return n, n == 2*len(outside)
	})
	for _, table := range tables { // the release took nothing with it
		l.untilRouted(table, "b-core", outside...)
	}

	l.VPC.ResetCalls()
	b.terminate()
	b.wantExit(0)
	l.untilRoutedEverywhere("")
	if got := tally(l.changes("worker-b")); got != "DeleteRoute×4" {
		t.Errorf("the end changes routes by %s", got)
	}
	l.wantHeld("b-core")
	l.wantHeld("a-core", "10.0.1.100", "2001:db8:0:1::100")
}

// TestARouteIsReleasedOnlyWhileItIsOurs: the old active pod lets go after the
// new one has taken over.
func TestARouteIsReleasedOnlyWhileItIsOurs(t *testing.T) {
	t.Parallel()
	l := newZones(t)
	a := l.container("upf-a").ready(across()...)
	l.container("upf-b").ready(across()...)
	l.add("upf-a", "net1", outside...)
	l.untilRoutedEverywhere("a-core")
	l.VPC.ResetCalls()
	l.add("upf-b", "net1", outside...)
	l.untilRoutedEverywhere("b-core")
	// One request for each route, side by side, and nothing is asked before.
	calls := l.callsOf("worker-b")
	last := len(calls) - 1
	for last > 0 && calls[last].Action != "ReplaceRoute" {
		last-- // a look at what was acknowledged
	}
	if got := tally(calls[:last+1]); got != "ReplaceRoute×4" {
		t.Errorf("upf-b takes over by %s, want one ReplaceRoute for each route", got)
	}
	l.del("upf-a", "net1", outside...)
	l.eventually("upf-a's release told", func() (any, bool) {
		n := len(a.logged("address released"))
		return n, n == 2*len(outside)
	})
	if got := l.changes("worker-a"); len(got) > 0 {
		t.Errorf("upf-a, whose routes these are not any more, sent %+v", got)
	}
	for _, table := range tables {
		l.untilRouted(table, "b-core", outside...)
	}
}

// TestAHandOverTakesNoRouteFromTheNewHolder: the old active pod lets go in the
// moment in which the new one takes over, and EC2 is as slow as it is.
func TestAHandOverTakesNoRouteFromTheNewHolder(t *testing.T) {
	t.Parallel()
	l := newZones(t, latent(100*time.Millisecond, 40*time.Millisecond))
	a, b := l.container("upf-a").ready(across()...), l.container("upf-b").ready(across()...)
	l.add("upf-a", "net1", outside...)
	l.untilRoutedEverywhere("a-core")
	for round, from := range []string{"upf-a", "upf-b", "upf-a", "upf-b"} {
		to, eni, told := "upf-b", "b-core", a
		if from == "upf-b" {
			to, eni, told = "upf-a", "a-core", b
		}
		l.VPC.ResetCalls()
		l.del(from, "net1", outside...)
		l.add(to, "net1", outside...)
		l.untilRoutedEverywhere(eni)
		l.eventually(from+"'s release told", func() (any, bool) {
			n := len(told.logged("address released"))
			return n, n == (round/2+1)*2*len(outside)
		})
		if got := tally(l.VPC.Calls("DeleteRoute")); got != "" {
			t.Errorf("in round %d a release deletes what was handed over: %s", round, got)
		}
		l.untilRoutedEverywhere(eni)
	}
}

// TestAZoneLosesItsPower: the routes lead to the dead ENI until the standby in
// the other zone takes the addresses.
func TestAZoneLosesItsPower(t *testing.T) {
	t.Parallel()
	l := newZones(t)
	l.container("upf-a").ready(across()...)
	l.container("upf-b").ready(across()...)
	l.add("upf-a", "net1", outside...)
	l.answers("upf-a", outside...)
	l.untilRoutedEverywhere("a-core")
	l.untilAnswered("upf-a")
	check(t, l.Fabric.Worker("worker-a").Remove())
	for _, addr := range outside {
		l.eventually("dropped: "+addr, func() (any, bool) {
			l.asks("client-b", addr)
			drops := l.Fabric.Counters("b-client").Drops
			return drops, slices.ContainsFunc(drops, func(d vswitch.Drop) bool {
				return d.Reason == vswitch.Unplugged && d.Dst.String() == addr
			})
		})
	}
	for _, table := range tables {
		l.untilRouted(table, "a-core", outside...)
	}
	l.add("upf-b", "net1", outside...)
	l.answers("upf-b", outside...)
	l.untilRoutedEverywhere("b-core")
	for _, addr := range outside { // client-a went with its worker
		l.untilReaches("client-b", addr, "upf-b")
	}
}

// TestOneRouteTableWithoutRights: the other works, and the status says which.
func TestOneRouteTableWithoutRights(t *testing.T) {
	t.Parallel()
	l := newZones(t)
	l.VPC.Inject(model.Fault{RouteTable: "zone-b", Worker: "worker-a", Code: model.CodeUnauthorized})
	c := l.container("upf-a")
	p := c.ready(across()...)
	c.untilWarned(tableID("zone-b"), "ec2:ReplaceRoute")
	l.add("upf-a", "net1", outside...)
	l.answers("upf-a", outside...)
	l.untilRouted("main", "a-core", outside...)
	for _, a := range outside {
		l.untilReaches("client-a", a, "upf-a")
		p.untilLogged("address refused", "address", a, "route_table", tableID("zone-b"), "level", "WARN", "code", "NotAuthorized")
		row := c.untilRouteState(a, "zone-b", ledger.Failed)
		if row.Code != "NotAuthorized" || row.Retry == nil || row.ENI != l.id("a-core") ||
			!strings.Contains(row.Reason+row.Cure, "ec2:ReplaceRoute") || !strings.Contains(row.Reason+row.Cure, tableID("zone-b")) {
			t.Errorf("the row is %+v; want the right and the table that lack, and a retry", row)
		}
		c.untilRouteState(a, "main", ledger.Assigned)
	}
	l.untilRouted("zone-b", "", outside...)
	wantText(t, "the table", c.run("status").stdout.String(), tableID("main"), tableID("zone-b"), "NotAuthorized", "Not ready:", "Warning:")
}

// TestAStandbyWithoutRightsSaysSo: before the failover, and is ready all the same.
func TestAStandbyWithoutRightsSaysSo(t *testing.T) {
	t.Parallel()
	l := newZones(t)
	l.VPC.Inject(model.Fault{RouteTable: "main", Worker: "worker-b", Action: "ReplaceRoute", Code: model.CodeUnauthorized})
	c := l.container("upf-b")
	p := c.ready(across()...)
	p.untilLogged("a failover to this pod would be refused", "route_table", tableID("main"), "code", "NotAuthorized", "level", "WARN")
	c.untilWarned(tableID("main"), "ec2:ReplaceRoute")
	doc, err := c.status()
	check(t, err)
	if !doc.Ready || len(doc.Warnings) != 1 {
		t.Errorf("the document is %+v, want ready with one warning", doc)
	}
	if got := l.changes("worker-b"); len(got) > 0 {
		t.Errorf("it changes routes to see whether it may: %+v", got)
	}
	l.untilRoutedEverywhere("")
}

// TestTheSourceDestCheckIsTold: on a standby as a warning; a claim is refused
// before EC2 is asked, and leaves the active pod its routes.
func TestTheSourceDestCheckIsTold(t *testing.T) {
	t.Parallel()
	l := newZones(t, withCheck("b-core"))
	l.container("upf-a").ready(across()...)
	l.add("upf-a", "net1", outside...)
	l.answers("upf-a", outside...)
	l.untilRoutedEverywhere("a-core")

	c := l.container("upf-b")
	p := c.ready(across()...)
	cure := "--network-interface-id " + l.id("b-core") + " --no-source-dest-check"
	c.untilWarned("source/destination check", cure)
	told := p.untilLogged("a failover to this pod would be refused", "eni", l.id("b-core"), "code", "SourceDestCheckOn", "level", "WARN")
	if !strings.Contains(fmt.Sprint(told["cure"]), cure) {
		t.Errorf("the log says %v, without the cure", told)
	}
	l.add("upf-b", "net1", outside...)
	for _, a := range outside {
		for _, table := range tables {
			row := c.untilRouteState(a, table, ledger.Failed)
			if row.Code != "SourceDestCheckOn" || !strings.Contains(row.Cure, cure) {
				t.Errorf("the row is %+v, want the check and its cure", row)
			}
		}
	}
	if got := l.changes("worker-b"); len(got) > 0 {
		t.Errorf("it took routes whose packets EC2 would drop: %+v", got)
	}
	l.untilRoutedEverywhere("a-core")
	l.untilAnswered("upf-a")
}

// TestARestartKeepsTheRoutes: law 6, for the one that is active and for the one
// that was when it was killed.
func TestARestartKeepsTheRoutes(t *testing.T) {
	t.Parallel()
	l := newZones(t)
	c := l.container("upf-a")
	l.add("upf-a", "net1", outside...)
	c.ready(across()...).kill()
	l.untilRoutedEverywhere("a-core")
	l.VPC.ResetCalls()
	again := c.ready(across()...)
	if got := l.changes("worker-a"); len(got) > 0 {
		t.Errorf("the restart changes routes that are right: %+v", got)
	}
	again.kill()

	l.container("upf-b").ready(across()...)
	l.add("upf-b", "net1", outside...)
	l.untilRoutedEverywhere("b-core")
	l.VPC.ResetCalls()
	c.start(append([]string{"sidecar", "--hold-down=5m"}, across()...)...)
	for _, a := range outside {
		for _, table := range tables {
			if row := c.untilRouteState(a, table, ledger.Contested); row.Owner != l.id("b-core") {
				t.Errorf("the row is %+v, want b-core as the owner", row)
			}
		}
	}
	if got := l.changes("worker-a"); len(got) > 0 {
		t.Errorf("the pod that was active once takes the routes: %+v", got)
	}
	l.untilRoutedEverywhere("b-core")
}

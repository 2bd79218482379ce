// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

const (
	// patience bounds every wait for what must come; it is far more than a
	// busy machine needs.
	patience = 30 * time.Second
	// glance is the time between two looks.
	glance = 3 * time.Millisecond
)

// A lab is a running VPC of a test's own.
type lab struct {
	*vpcsim.Sim
	t *testing.T
	// dir is for the containers' files; nobody may pass through it.
	dir string
	// served are the pods, each with an address, that have an echo service.
	served map[string]bool
}

// A setting changes the lab that newLab starts.
type setting func(*topology.Topology, *vpcsim.Options)

// newLab starts the world with some pods, until the test ends.
func newLab(t *testing.T, pods []string, settings ...setting) *lab {
	t.Helper()
	text := world
	for _, p := range pods {
		text += podYAML(p)
	}
	topo, err := topology.Parse("world.yaml", []byte(text))
	check(t, err)
	return newLabOf(t, topo, settings...)
}

// newLabOf starts another world.
func newLabOf(t *testing.T, topo topology.Topology, settings ...setting) *lab {
	t.Helper()
	name := sha256.Sum256([]byte(t.Name()))
	var opts vpcsim.Options
	opts.Fabric.Prefix = "it-" + hex.EncodeToString(name[:6])
	opts.Fabric.RequireIPvlan = os.Getenv(ipvlanEnv) == "1"
	for _, set := range settings {
		set(&topo, &opts)
	}
	l := &lab{t: t, served: map[string]bool{}}
	var err error
	l.dir, err = os.MkdirTemp("/run", "lab")
	check(t, err)
	check(t, os.Chmod(l.dir, 0o755))
	t.Cleanup(func() { check(t, os.RemoveAll(l.dir)) })
	l.Sim, err = vpcsim.Start(t.Context(), topo, opts)
	check(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			l.report()
		}
		check(t, l.Close())
	})
	return l
}

// limited makes the ENIs of all workers small.
func limited(ipv4 int) setting {
	return func(t *topology.Topology, _ *vpcsim.Options) {
		for i := range t.Workers {
			t.Workers[i].IPv4PerENI = ipv4
		}
	}
}

// latent makes EC2 as slow as it is.
func latent(latency, jitter time.Duration) setting {
	return func(t *topology.Topology, _ *vpcsim.Options) { t.EC2.Latency, t.EC2.Jitter = latency, jitter }
}

// instanceRole leaves the credentials to IMDS.
func instanceRole(_ *topology.Topology, o *vpcsim.Options) { o.InstanceRole = true }

// report says what EC2 was asked and has.
func (l *lab) report() {
	for _, c := range l.VPC.Calls() {
		l.t.Logf("%s %s by %s: %s %v code %q effective %v", c.Time.Format("05.000"), c.Action, c.Worker, l.eniName(c.ENI), c.Addresses, c.Code, c.Effective)
	}
	for _, e := range l.VPC.ENIs() {
		l.t.Logf("%s is %s with %v", e.Name, e.ID, e.Addresses())
	}
}

func (l *lab) eniName(id string) string {
	e, _ := l.VPC.ENI(id)
	return e.Name
}

// id is the id of an ENI of the world.
func (l *lab) id(eni string) string {
	l.t.Helper()
	e, ok := l.VPC.ENI(eni)
	if !ok {
		l.t.Fatalf("there is no ENI %s", eni)
	}
	return e.ID
}

// spellENI puts the id of an ENI into a text that begins with "ENI:".
func (l *lab) spellENI(text string) string {
	l.t.Helper()
	if eni, ok := strings.CutPrefix(text, "ENI:"); ok {
		return l.id(eni)
	}
	return text
}

// eventually waits until seen says ok; got is what it sees.
func (l *lab) eventually(what string, seen func() (got any, ok bool)) {
	l.t.Helper()
	l.within(patience, what, seen)
}

// within is eventually for what comes late even on an idle machine.
func (l *lab) within(limit time.Duration, what string, seen func() (got any, ok bool)) {
	l.t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(glance) {
		got, ok := seen()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("after %v still not %s; seen last: %v", limit, what, got)
		}
	}
}

// held are the addresses of an ENI but its primary one, sorted.
func (l *lab) held(eni string) []netip.Addr {
	own := l.VPC.Addresses(eni)
	if len(own) == 0 {
		l.t.Fatalf("there is no ENI %s", eni)
	}
	own = own[1:]
	slices.SortFunc(own, netip.Addr.Compare)
	return own
}

// wantHeld checks what EC2 has on an ENI beside its primary address.
func (l *lab) wantHeld(eni string, want ...string) {
	l.t.Helper()
	if got := l.held(eni); !slices.Equal(got, addrs(want...)) {
		l.t.Errorf("EC2 has %v on %s, want %v", got, eni, want)
	}
}

// untilHeld waits until EC2 has exactly that on an ENI.
func (l *lab) untilHeld(eni string, want ...string) {
	l.t.Helper()
	l.eventually(fmt.Sprintf("%v on %s", want, eni), func() (any, bool) {
		got := l.held(eni)
		return got, slices.Equal(got, addrs(want...))
	})
}

// addrs are addresses without their prefix lengths, sorted.
func addrs(texts ...string) []netip.Addr {
	var all []netip.Addr
	for _, text := range texts {
		text, _, _ = strings.Cut(text, "/")
		all = append(all, netip.MustParseAddr(text))
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return all
}

// wantCalls checks how often EC2 was asked for what, such as
// "AssignPrivateIpAddresses×2 DescribeNetworkInterfaces×1".
func (l *lab) wantCalls(want string) {
	l.t.Helper()
	if got := tally(l.VPC.Calls()); got != want {
		l.t.Errorf("EC2 was asked for %q, want %q", got, want)
	}
}

func tally(calls []model.Call) string {
	n := map[string]int{}
	for _, c := range calls {
		n[c.Action]++
	}
	var words []string
	for _, a := range slices.Sorted(maps.Keys(n)) {
		words = append(words, fmt.Sprintf("%s×%d", a, n[a]))
	}
	return strings.Join(words, " ")
}

// callsOf are the calls of one worker.
func (l *lab) callsOf(worker string, actions ...string) []model.Call {
	return slices.DeleteFunc(l.VPC.Calls(actions...), func(c model.Call) bool { return c.Worker != worker })
}

// untilCalled waits until EC2 has had a call of an action.
func (l *lab) untilCalled(action string) {
	l.t.Helper()
	l.eventually("a call "+action, func() (any, bool) {
		calls := l.VPC.Calls()
		return tally(calls), slices.ContainsFunc(calls, func(c model.Call) bool { return c.Action == action })
	})
}

// add gives a pod's interface an address, as the application would; a length
// is put to those without one.
func (l *lab) add(pod, net string, addresses ...string) {
	l.t.Helper()
	for _, a := range addresses {
		check(l.t, l.Fabric.Pod(pod).AddAddress(net, prefix(a)))
	}
}

// del takes addresses away.
func (l *lab) del(pod, net string, addresses ...string) {
	l.t.Helper()
	for _, a := range addresses {
		check(l.t, l.Fabric.Pod(pod).DelAddress(net, prefix(a)))
	}
}

func prefix(text string) netip.Prefix {
	if strings.Contains(text, "/") {
		return netip.MustParsePrefix(text)
	}
	a := netip.MustParseAddr(text)
	return netip.PrefixFrom(a, a.BitLen())
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package registrar_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/laws"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/ec2api"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/imdsapi"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

const worldTopology = `
vpc: {cidrs: [10.0.0.0/16, "2600:1f14:1:200::/56"]}
route-tables: [{name: near}, {name: far}]
subnets:
- {name: nodes, zone: eu-central-1a, cidr: 10.0.0.0/24}
- {name: nodes-b, zone: eu-central-1b, cidr: 10.0.3.0/24}
- {name: sig, zone: eu-central-1a, cidr: 10.0.1.0/24, ipv6: "2600:1f14:1:201::/64", route-table: near}
- {name: far, zone: eu-central-1b, cidr: 10.0.2.0/24, ipv6: "2600:1f14:1:202::/64", route-table: far}
workers:
- name: w1
  type: m5.xlarge
  enis:
  - {name: w1-primary, index: 0, subnet: nodes, ip: 10.0.0.11}
  - {name: w1-sig, index: 1, subnet: sig, ip: 10.0.1.11, secondary: [10.0.1.50], no-source-dest-check: true, tags: {node.k8s.amazonaws.com/no_manage: "true"}}
- name: w2
  type: m5.xlarge
  enis:
  - {name: w2-primary, index: 0, subnet: nodes, ip: 10.0.0.12}
  - {name: w2-sig, index: 1, subnet: sig, ip: 10.0.1.12, secondary: [10.0.1.60], no-source-dest-check: true, tags: {node.k8s.amazonaws.com/no_manage: "true"}}
  - {name: w2-new, index: 2, subnet: sig, ip: 10.0.1.13, no-source-dest-check: true, tags: {node.k8s.amazonaws.com/no_manage: "true"}}
- name: w3
  type: m5.xlarge
  enis:
  - {name: w3-primary, index: 0, subnet: nodes-b, ip: 10.0.3.13}
  - {name: w3-far, index: 1, subnet: far, ip: 10.0.2.13, no-source-dest-check: true, tags: {node.k8s.amazonaws.com/no_manage: "true"}}
- name: rival
  type: m5.xlarge
  enis:
  - {name: rival-primary, index: 0, subnet: nodes, ip: 10.0.0.14}
  - {name: rival-sig, index: 1, subnet: sig, ip: 10.0.1.14}
`

// A home is where a pod is, and its own address. Two share a worker and its ENI.
type home struct {
	pod, worker, eni string
	own              netip.Addr
}

var (
	homes = []home{
		{"a", "w1", "w1-sig", netip.MustParseAddr("10.0.1.100")},
		{"b", "w2", "w2-sig", netip.MustParseAddr("10.0.1.101")},
		{"c", "w1", "w1-sig", netip.MustParseAddr("10.0.1.102")},
		{"d", "w3", "w3-far", netip.MustParseAddr("10.0.2.103")},
	}
	// floating are the addresses that come and go; those of the subnet sig first.
	floating = []netip.Addr{
		netip.MustParseAddr("10.0.1.200"), netip.MustParseAddr("10.0.1.201"),
		netip.MustParseAddr("2600:1f14:1:201::200"), netip.MustParseAddr("2600:1f14:1:201::201"),
		netip.MustParseAddr("192.0.2.200"), netip.MustParseAddr("2001:db8:f::200"),
	}
	// foreign are on an ENI from the start, and nobody's.
	foreign = map[string]netip.Addr{"w1-sig": netip.MustParseAddr("10.0.1.50"), "w2-sig": netip.MustParseAddr("10.0.1.60")}
)

// routed says that a floating address lies outside of the VPC.
func routed(a netip.Addr) bool { return slices.Index(floating, a) >= 4 }

// A world is a VPC with pods whose registrars run in this process.
type world struct {
	t      *testing.T
	h      history
	vpc    *model.VPC
	audit  *laws.Auditor
	talk   *talk
	tables []string
	pods   []*pod
	dark   map[string]bool // workers without power
	blind  bool            // somebody could not describe: what is in doubt then is left
	gone   chan func()     // pods that have ended after SIGTERM
}

func newWorld(t *testing.T, h history) *world {
	top, err := topology.Parse("world", []byte(worldTopology))
	if err != nil {
		t.Fatal(err)
	}
	top.EC2.Throttle, top.EC2.Latency, top.EC2.Jitter, top.IMDS.Staleness = h.throttle, h.latency, h.jitter, h.staleness
	vpc, err := model.New(top)
	if err != nil {
		t.Fatal(err)
	}
	vpc.Assume(func(a *topology.Assumptions) {
		a.OwnPrefixAccepted, a.IPv6SameENIRefused, a.IPv4SameENIRefused = h.assume[0], h.assume[1], h.assume[2]
		a.LimitCountsPresent, a.DryRunValidates, a.BlackholeNamesNoENI = h.assume[3], h.assume[4], h.assume[5]
	})
	w := &world{t: t, h: h, vpc: vpc, talk: newTalk(h.talk), dark: map[string]bool{}, gone: make(chan func(), len(homes))}
	for _, table := range vpc.Topology().RouteTables {
		if table.Name != topology.MainRouteTable {
			w.tables = append(w.tables, table.ID)
		}
	}
	w.audit = laws.New(h.terms(vpc))
	for _, e := range vpc.ENIs() {
		for _, a := range e.Addresses() {
			w.audit.Found(a, e.ID)
		}
	}
	vpc.SetWitness(w.audit.Witness)
	for i, at := range homes {
		eni, _ := vpc.ENI(at.eni)
		p := newPod(w, at, eni)
		p.ec2 = ec2api.Transport{Handler: ec2api.New(vpc)}
		p.imds = ec2api.Transport{Handler: imdsapi.New(vpc, at.worker)}
		p.keeps = i == h.keeps
		w.pods = append(w.pods, p)
	}
	w.startAll()
	return w
}

// terms are what the auditor must know of a history.
func (h history) terms(vpc *model.VPC) laws.Config {
	c := laws.Config{
		HoldDown: ledger.DefaultHoldDown, HoldDownMax: ledger.DefaultHoldDownMax, Reset: 10 * time.Minute,
		RoundTrip: 2 * (h.latency + h.jitter),
		Sender:    func(c model.Call) string { return strings.TrimPrefix(c.AccessKey, "pod-") },
	}
	for _, s := range h.steps {
		if s.Do == "slow" {
			c.RoundTrip += 2 * slowness
		}
	}
	for _, e := range vpc.ENIs() {
		c.Primaries = append(c.Primaries, e.Primary)
	}
	return c
}

// floatingFor is what the annotations of a pod say.
func (w *world) floatingFor(at home, named bool) ledger.Floating {
	f := ledger.Floating{RouteTables: w.tables}
	for _, a := range floating {
		if routed(a) || named && at.eni != "w3-far" {
			f.Addresses = append(f.Addresses, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return f
}

func (w *world) startAll() {
	for _, p := range w.pods {
		w.startNew(p)
	}
}

// startNew starts a registrar in a new pod, if there can be one.
func (w *world) startNew(p *pod) {
	if !p.running() && !p.leaving && !w.dark[p.home.worker] {
		p.add(p.home.own)
		p.start(true)
	}
}

func (w *world) terminateAll() {
	for _, p := range w.pods {
		p.terminate()
	}
}

func (w *world) close() {
	w.untilGone()
	for _, p := range w.pods {
		p.crash()
	}
}

// wait lets time pass.
func (w *world) wait(d time.Duration) {
	over := time.After(d)
	for {
		select {
		case end := <-w.gone:
			end()
		case <-over:
			return
		}
	}
}

// untilGone waits for all pods that are being deleted.
func (w *world) untilGone() {
	for slices.ContainsFunc(w.pods, func(p *pod) bool { return p.leaving }) {
		w.wait(time.Second)
	}
}

// rival calls EC2 as somebody else, once.
func (w *world) rival(a netip.Addr) {
	e, _ := w.vpc.ENI("rival-sig")
	ctx := model.WithCaller(context.Background(), model.Caller{AccessKey: "rival"})
	if a.Is6() {
		_, _ = w.vpc.AssignIPv6Addresses(ctx, model.AssignIPv6AddressesInput{NetworkInterfaceID: e.ID, Addresses: []netip.Addr{a}})
		return
	}
	_, _ = w.vpc.AssignPrivateIPAddresses(ctx, model.AssignPrivateIPAddressesInput{NetworkInterfaceID: e.ID, Addresses: []netip.Addr{a}, AllowReassignment: true})
}

// unassign takes an address from whoever has it, as an operator would, in
// spite of faults.
func (w *world) unassign(a netip.Addr) {
	ctx := model.WithCaller(context.Background(), model.Caller{AccessKey: "operator"})
	for range 200 {
		e, held := w.vpc.Owner(a)
		if !held {
			return
		}
		var err error
		if a.Is6() {
			_, err = w.vpc.UnassignIPv6Addresses(ctx, model.UnassignIPv6AddressesInput{NetworkInterfaceID: e.ID, Addresses: []netip.Addr{a}})
		} else {
			err = w.vpc.UnassignPrivateIPAddresses(ctx, model.UnassignPrivateIPAddressesInput{NetworkInterfaceID: e.ID, Addresses: []netip.Addr{a}})
		}
		if err == nil {
			return
		}
		w.wait(time.Second)
	}
	w.t.Errorf("the operator could not unassign %s", a)
}

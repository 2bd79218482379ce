// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/vswitch"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// ownership is a VPC in its simplest form: who owns which address.
type ownership struct {
	mu     sync.Mutex
	owners map[netip.Addr]string
}

func (o *ownership) Deliver(_ string, dst netip.Addr) (string, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	id, ok := o.owners[dst]
	return id, ok
}

func (o *ownership) Undelivered(string, netip.Addr) string { return string(vswitch.Unmapped) }

func (o *ownership) Permits(eniID string, src netip.Addr) bool {
	id, ok := o.Deliver(eniID, src)
	return ok && id == eniID
}

// assign gives addresses to an ENI, whoever had them.
func (o *ownership) assign(eniName string, addrs ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range addrs {
		o.owners[netip.MustParseAddr(a)] = topology.DeriveID("eni", eniName)
	}
}

func (o *ownership) unassign(addrs ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range addrs {
		delete(o.owners, netip.MustParseAddr(a))
	}
}

// twoWorkers is the world of most tests: worker1 and worker2 with a primary
// ENI, one in subnet sig and one in subnet media each. Pods a and a2 share an
// ENI on worker1, b is on worker2 in the same subnet, m in the other.
const twoWorkers = `
vpc: {cidrs: [10.0.0.0/16, "2001:db8:0:0::/56"]}
subnets:
- {name: node, cidr: 10.0.0.0/24, ipv6: "2001:db8::/64"}
- {name: sig, cidr: 10.0.1.0/24, ipv6: "2001:db8:0:1::/64"}
- {name: media, cidr: 10.0.2.0/24, ipv6: "2001:db8:0:2::/64"}
workers:
- name: worker1
  pod-cidr: 100.64.1.0/24
  hop-limit: 1
  enis:
  - {name: w1-node, index: 0, subnet: node, ip: 10.0.0.11}
  - {name: w1-sig, index: 1, subnet: sig, ip: 10.0.1.11}
  - {name: w1-media, index: 2, subnet: media, ip: 10.0.2.11}
- name: worker2
  pod-cidr: 100.64.2.0/24
  enis:
  - {name: w2-node, index: 0, subnet: node, ip: 10.0.0.12}
  - {name: w2-sig, index: 1, subnet: sig, ip: 10.0.1.12}
  - {name: w2-media, index: 2, subnet: media, ip: 10.0.2.12}
pods:
- {name: a, worker: worker1, interfaces: [{name: net1, eni: w1-sig, addresses: [10.0.1.101/24, "2001:db8:0:1::101/64"]}]}
- {name: a2, worker: worker1, interfaces: [{name: net1, eni: w1-sig, addresses: [10.0.1.102/24, "2001:db8:0:1::102/64"]}]}
- {name: b, worker: worker2, interfaces: [{name: net1, eni: w2-sig, addresses: [10.0.1.103/24, "2001:db8:0:1::103/64"]}]}
- {name: m, worker: worker2, interfaces: [{name: net1, eni: w2-media, addresses: [10.0.2.104/24, "2001:db8:0:2::104/64"]}]}
`

// assignAll is what registrars would have done for the pods of twoWorkers.
func assignAll(o *ownership) {
	o.assign("w1-sig", "10.0.1.101", "2001:db8:0:1::101", "10.0.1.102", "2001:db8:0:1::102")
	o.assign("w2-sig", "10.0.1.103", "2001:db8:0:1::103")
	o.assign("w2-media", "10.0.2.104", "2001:db8:0:2::104")
}

// start runs twoWorkers with the workers' primary addresses assigned, in
// whichever way this kernel does it.
func start(t testing.TB, opts Options) (*Fabric, *ownership) {
	t.Helper()
	return startWorld(t, twoWorkers, opts)
}

func startWorld(t testing.TB, world string, opts Options) (*Fabric, *ownership) {
	t.Helper()
	topo, err := topology.Parse("world.yaml", []byte(world))
	if err != nil {
		t.Fatal(err)
	}
	o := &ownership{owners: make(map[netip.Addr]string)}
	for _, w := range topo.Workers {
		for _, e := range w.ENIs {
			o.assign(e.Name, e.IP.String())
		}
	}
	if opts.Prefix == "" {
		opts.Prefix = "test"
	}
	began := time.Now()
	f, err := New(t.Context(), topo, o, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("fabric up after %v, ipvlan %v", time.Since(began).Round(time.Millisecond), f.Features.IPvlan)
	t.Cleanup(func() {
		began := time.Now()
		if err := f.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		t.Logf("fabric closed after %v", time.Since(began).Round(time.Millisecond))
	})
	return f, o
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"embed"
	"fmt"
	"net/netip"
	"strings"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

//go:embed topology.yaml picture.txt zones.txt
var files embed.FS

// The names of topology.yaml that the story knows.
const (
	active  = "active"
	standby = "standby"
	client  = "client"
	coreA   = "core-a"
	coreB   = "core-b"

	worker2 = "worker2"

	// sigInterface is where the floating addresses are.
	sigInterface = "net1"
	sigENI1      = "w1-sig"
	sigENI2      = "w2-sig"
	mediaENI2    = "w2-media"
)

// A set is floating addresses that move together, one of each family.
type set struct {
	addrs []netip.Addr
	// enis are the pods' ENIs, by pod.
	enis map[string]string
	// tables are the names of the route tables that lead there; none where the
	// addresses are secondary ones of the ENI.
	tables []string
}

// floating are the addresses of active and standby, inside of their subnet.
func floating() set {
	return set{
		addrs: []netip.Addr{netip.MustParseAddr("10.0.1.200"), netip.MustParseAddr("2001:db8:0:1::200")},
		enis:  map[string]string{active: sigENI1, standby: sigENI2},
	}
}

// crossing are the addresses of core-a and core-b, outside of the VPC.
func crossing() set {
	return set{
		addrs:  []netip.Addr{netip.MustParseAddr("198.51.100.10"), netip.MustParseAddr("2001:db8:f::10")},
		enis:   map[string]string{coreA: "w2-core", coreB: "w3-core"},
		tables: []string{topology.MainRouteTable, "zone-b"},
	}
}

// ids are the ids of the set's route tables.
func (f set) ids() (ids []string) {
	for _, t := range f.tables {
		ids = append(ids, topology.DeriveID("rtb", t))
	}
	return ids
}

// at says that EC2 delivers one of the addresses to an ENI.
func (f set) at(a netip.Addr, eni string) string {
	if len(f.tables) == 0 {
		return fmt.Sprintf("EC2 has %s on %s", a, eni)
	}
	return fmt.Sprintf("both route tables lead %s to %s", a, eni)
}

func loadTopology() (topology.Topology, error) {
	const name = "topology.yaml"
	text, err := files.ReadFile(name)
	if err != nil {
		return topology.Topology{}, fmt.Errorf("read the demo's topology: %w", err)
	}
	return topology.Parse(name, text)
}

// picture is a part of the topology, as lines of text.
func picture(name string) []string {
	text, err := files.ReadFile(name)
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimRight(string(text), "\n"), "\n")
}

// moved is a pod as Kubernetes would start it on worker2: with the same
// interfaces and addresses, on that worker's ENIs.
func moved(p topology.Pod) topology.Pod {
	p.Worker = worker2
	var there []topology.Interface
	for _, i := range p.Interfaces {
		i.ENI = strings.Replace(i.ENI, "w1-", "w2-", 1)
		there = append(there, i)
	}
	p.Interfaces = there
	return p
}

// An owned is an address with the ENI that EC2 should have it on.
type owned struct {
	addr netip.Addr
	eni  string
}

// addressesOf are the addresses of a pod's Multus interfaces.
func addressesOf(p topology.Pod) []owned {
	var all []owned
	for _, i := range p.Interfaces {
		for _, a := range i.Addresses {
			all = append(all, owned{a.Addr(), i.ENI})
		}
	}
	return all
}

func podOf(t topology.Topology, name string) topology.Pod {
	for _, p := range t.Pods {
		if p.Name == name {
			return p
		}
	}
	return topology.Pod{}
}

// familyName is "IPv4" or "IPv6".
func familyName(a netip.Addr) string {
	if a.Is4() {
		return "IPv4"
	}
	return "IPv6"
}

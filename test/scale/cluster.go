// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// What the cluster is like. One m5.24xlarge may have 50 addresses of a family
// per ENI: room for 30 pods of its own and the 15 that a failed zone sends.
const (
	zones        = 3
	networks     = 4 // N2, N3, N4, N6: a subnet in each zone
	podNetworks  = 2 // a pod attaches to two of its worker's ENIs
	instanceType = "m5.24xlarge"
	firstHost    = 10 // of each subnet; EC2 keeps the first four
)

// A cluster is what stands before anything happens: workers with their ENIs,
// and a topology to make the VPC of.
type cluster struct {
	workers []*worker
	subnets []*subnet
}

// A worker has two, three or four ENIs for Multus.
type worker struct {
	name string
	zone int
	enis []*eni
	pods int
	inv  eniassign.Inventory // what IMDS tells
}

type eni struct {
	name    string
	primary netip.Addr
	subnet  *subnet
	facts   eniassign.ENI
	held    []netip.Addr // secondary addresses of both families from the start
}

type subnet struct {
	name       string
	zone       int
	cidr, ipv6 netip.Prefix
	next       uint32
}

// An attachment is an interface of a pod: an ipvlan interface above an ENI.
type attachment struct {
	eni    *eni
	v4, v6 netip.Addr
}

func newCluster(workers int) *cluster {
	c := &cluster{}
	for z := range zones {
		for n := range networks {
			i := z*networks + n
			c.subnets = append(c.subnets, &subnet{
				name: fmt.Sprintf("net%d-%c", n+1, 'a'+z), zone: z, next: firstHost,
				cidr: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(1 + i/2), byte(128 * (i % 2)), 0}), 17),
				ipv6: netip.PrefixFrom(netip.MustParseAddr(fmt.Sprintf("2600:1f14:1:2%02x::", i+1)), 64),
			})
		}
	}
	for i := range workers {
		w := &worker{name: fmt.Sprintf("w%d", i), zone: i % zones}
		for n := range 2 + i/zones%3 {
			s := c.subnets[w.zone*networks+n]
			v4, _ := s.take()
			w.enis = append(w.enis, &eni{name: fmt.Sprintf("w%d-net%d", i, n+1), primary: v4, subnet: s})
		}
		c.workers = append(c.workers, w)
	}
	return c
}

// take is the next free address of both families, as a cluster-wide IPAM such
// as whereabouts gives it.
func (s *subnet) take() (v4, v6 netip.Addr) {
	four, six := s.cidr.Addr().As4(), s.ipv6.Addr().As16()
	binary.BigEndian.PutUint32(four[:], binary.BigEndian.Uint32(four[:])+s.next)
	binary.BigEndian.PutUint32(six[12:], s.next)
	s.next++
	return netip.AddrFrom4(four), netip.AddrFrom16(six)
}

// attach gives the next pod of a worker its interfaces.
func (w *worker) attach() []attachment {
	var out []attachment
	for i := range podNetworks {
		e := w.enis[(w.pods+i)%len(w.enis)]
		v4, v6 := e.subnet.take()
		out = append(out, attachment{e, v4, v6})
	}
	w.pods++
	return out
}

// topology is the cluster for the model. tables are route tables beside the
// main one, with their routes.
func (c *cluster) topology(tables []topology.RouteTable) topology.Topology {
	t := topology.Topology{
		VPC:         topology.VPC{CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16"), netip.MustParsePrefix("2600:1f14:1:200::/56")}},
		EC2:         topology.EC2{Throttle: true},
		RouteTables: tables,
	}
	for i := range (zones*networks + 1) / 2 {
		t.VPC.CIDRs = append(t.VPC.CIDRs, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(1 + i), 0, 0}), 16))
	}
	zone := func(z int) string { return fmt.Sprintf("eu-central-1%c", 'a'+z) }
	for z := range zones {
		t.Subnets = append(t.Subnets, topology.Subnet{Name: fmt.Sprintf("nodes-%c", 'a'+z), Zone: zone(z),
			CIDR: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(64 * z), 0}), 18)})
	}
	for _, s := range c.subnets {
		t.Subnets = append(t.Subnets, topology.Subnet{Name: s.name, Zone: zone(s.zone), CIDR: s.cidr, IPv6: s.ipv6})
	}
	for i, w := range c.workers {
		host := firstHost + i/zones
		out := topology.Worker{Name: w.name, Type: instanceType, ENIs: []topology.ENI{{
			Name: w.name + "-primary", Subnet: fmt.Sprintf("nodes-%c", 'a'+w.zone),
			IP: netip.AddrFrom4([4]byte{10, 0, byte(64*w.zone + host>>8), byte(host)}),
		}}}
		for n, e := range w.enis {
			spec := topology.ENI{Name: e.name, Index: n + 1, Subnet: e.subnet.name, IP: e.primary,
				NoSourceDestCheck: true, Tags: map[string]string{eniassign.NoManageTag: "true"}}
			for _, a := range e.held {
				if a.Is4() {
					spec.Secondary = append(spec.Secondary, a)
				} else {
					spec.IPv6 = append(spec.IPv6, a)
				}
			}
			out.ENIs = append(out.ENIs, spec)
		}
		t.Workers = append(t.Workers, out)
	}
	return t
}

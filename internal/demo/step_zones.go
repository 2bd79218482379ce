// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/proc"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/traffic"
)

// acrossZones moves floating addresses to another zone and, when that loses its
// power, back. In the end nobody has them.
func (s *story) acrossZones(ctx context.Context) error {
	both := crossing()
	s.t.chapter("6. Failover to another zone: the floating addresses are routes")
	s.t.gap()
	s.t.block(picture("zones.txt"))
	s.t.gap()
	s.t.note("A secondary address cannot leave its subnet, hence its zone. %s and %s lie outside of the VPC: "+
		"each is a route to the active pod's ENI, in both route tables.", both.addrs[0], both.addrs[1])
	if err := s.startCore(ctx, both); err != nil {
		return err
	}
	s.t.say("core-a gets %s and %s on net1", both.addrs[0], both.addrs[1])
	if err := s.firstHome(ctx, both, coreA); err != nil {
		return err
	}
	first := len(s.report.Failovers)
	err := s.failOver(ctx, both, "to zone b", coreA, coreB, func([]*traffic.Stream) error {
		s.t.say("both addresses are taken off core-a and put on core-b, in the other zone")
		return s.giveUp(both, coreA)
	})
	if err != nil {
		return err
	}
	s.t.table(s.routes(both))
	err = s.powerLost(ctx, both, "zone b lost", coreB, coreA, "zone b loses power, and both routes lead to a dead ENI; core-a notices")
	if err != nil {
		return err
	}
	s.t.table(failoverTable(s.report.Failovers[first:]))
	s.t.note("Each route is one call, and all leave at once: IPv6 moves as fast as IPv4, whoever had it.")
	s.t.say("both are taken off core-a; their routes are deleted a few seconds later")
	return s.giveUp(both, coreA)
}

// startCore starts the pods of both zones with their registrars.
func (s *story) startCore(ctx context.Context, both set) error {
	var floating []string
	for _, a := range both.addrs {
		floating = append(floating, a.String())
	}
	s.t.say("core-a and core-b run \"registrar sidecar --floating-ips %s,… --route-tables rtb-…,rtb-…\"", floating[0])
	pods := []string{coreA, coreB}
	var ready []*proc.Process
	for _, pod := range pods {
		p, err := s.sim.Fabric.AddPod(podOf(s.topo, pod))
		if err != nil {
			return err
		}
		if s.echoes[pod], err = traffic.StartEcho(ctx, p.Namespace, both.addrs); err != nil {
			return err
		}
		w, err := s.startSidecar(pod, "--floating-ips="+strings.Join(floating, ","), "--route-tables="+strings.Join(both.ids(), ","))
		if err != nil {
			return err
		}
		ready = append(ready, w)
	}
	for i, pod := range pods {
		if err := s.becomesReady(ctx, podOf(s.topo, pod), ready[i]); err != nil {
			return err
		}
	}
	return nil
}

// routes shows where the route tables lead the addresses.
func (s *story) routes(f set) table {
	t := table{head: []string{"route table", "destination", "leads to", "destination", "leads to"}}
	for _, name := range f.tables {
		row := []string{name}
		for _, a := range f.addrs {
			row = append(row, only(a).String(), s.routedTo(name, a))
		}
		t.row(row...)
	}
	return t
}

// routedTo is the name of the ENI that a route table leads an address to.
func (s *story) routedTo(table string, a netip.Addr) string {
	e, ok := s.sim.VPC.ENI(s.sim.VPC.RoutedTo(table, a))
	if !ok {
		return "no ENI"
	}
	return e.Name
}

// routesLeft are the routes that somebody should have deleted.
func (s *story) routesLeft() (left []string) {
	for _, t := range s.sim.VPC.RouteTables() {
		for _, r := range t.Routes {
			if r.Created {
				left = append(left, fmt.Sprintf("%s is still a route in %s", r.Destination, t.ID))
			}
		}
	}
	return left
}

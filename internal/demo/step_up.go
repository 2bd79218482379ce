// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"strings"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// introduce says what is going to be seen.
func (s *story) introduce() {
	s.t.out(s.t.paint(strong, "multus-ip-registrar: pods that cannot reach one another, and then can"))
	s.t.gap()
	s.t.block(picture("picture.txt"))
	s.t.gap()
	s.t.note("Multus gave the pods' net1 and net2 addresses on the workers' extra ENIs: active has " +
		"10.0.1.100 and 2001:db8:0:1::100 on net1, and so on. EC2 has not been told.")
	s.t.note("Real: the registrar, the kernel, each packet. Not real: AWS, which is simulated here.")
}

// up starts the VPC and shows what is there.
func (s *story) up(ctx context.Context) error {
	s.t.chapter("1. The VPC comes up")
	if err := s.startVPC(ctx); err != nil {
		return err
	}
	s.report.IPvlan = s.sim.Fabric.Features.IPvlan
	s.atStart = holdingsOf(s.sim.VPC.ENIs())
	s.t.say("EC2 has the workers' own addresses only:")
	s.t.table(inventory(s.sim.VPC.Topology(), s.atStart))
	kind := "taps that switch as ipvlan does, since this kernel has no ipvlan"
	if s.report.IPvlan {
		kind = "ipvlan devices, mode l2"
	}
	s.t.note("net1 and net2 are %s.", kind)
	s.t.note("An EC2 call takes %s: it is carried out after half of that, and the network follows %s later.",
		millis(s.topo.EC2.Latency), millis(s.topo.EC2.RemapDelay))
	return nil
}

// inventory lists workers, ENIs and pods.
func inventory(t topology.Topology, held holdings) table {
	tab := table{head: []string{"worker", "ENI", "EC2 has", "pod", "interface", "addresses in the pod"}}
	for _, w := range t.Workers {
		worker := w.Name
		for _, e := range w.ENIs {
			if e.Index == 0 {
				continue // the worker's own network: not Multus', not the registrar's
			}
			var has []string
			for _, a := range held[e.Name] {
				has = append(has, a.String())
			}
			eni, at := e.Name, strings.Join(has, " ")
			for _, p := range t.Pods {
				for _, i := range p.Interfaces {
					if i.ENI != e.Name {
						continue
					}
					var in []string
					for _, a := range i.Addresses {
						in = append(in, a.Addr().String())
					}
					tab.row(worker, eni, at, p.Name, i.Name, strings.Join(in, "  "))
					worker, eni, at = "", "", ""
				}
			}
		}
	}
	return tab
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// comeBack starts the lost pod on the other worker, as Kubernetes would: with
// the addresses that EC2 still has on the dead worker's ENIs.
func (s *story) comeBack(ctx context.Context) error {
	s.t.chapter("8. Kubernetes starts active again, on worker2, with its old addresses")
	pod := moved(podOf(s.topo, active))
	if _, err := s.sim.Fabric.AddPod(pod); err != nil {
		return err
	}
	ready, err := s.startSidecar(active)
	if err != nil {
		return err
	}
	if err := s.becomesReady(ctx, pod, ready); err != nil {
		return err
	}
	last := s.report.Routed[len(s.report.Routed)-1]
	s.t.say("%s after the registrar's start its addresses are off the dead worker's ENIs and routed", last.After)
	s.t.note("EC2 calls: %s", count(last.Calls))
	topo := s.topo
	topo.Pods = append([]topology.Pod{pod}, slices.DeleteFunc(slices.Clone(topo.Pods), func(p topology.Pod) bool { return p.Name == active })...)
	now, err := s.pingAll(ctx, []pair{{client, active, "net1"}}, topo, s.opts.Patience)
	if err != nil {
		return err
	}
	silent := unlike(now, true)
	s.expect(len(silent) == 0, "client pings it at its old addresses, IPv4 and IPv6", "Silent: "+strings.Join(silent, ", "))
	return nil
}

// shutdown ends the sidecars and looks at what they leave.
func (s *story) shutdown(ctx context.Context) error {
	s.t.chapter("9. The pods end: SIGTERM to the sidecars")
	began := time.Now()
	pods := []string{active, standby, coreA}
	died := make(map[string]error)
	for _, pod := range pods {
		if err := s.sidecars[pod].Signal(syscall.SIGTERM); err != nil {
			died[pod] = fmt.Errorf("%s: %w", s.sidecars[pod].Name, err)
		}
	}
	for _, pod := range pods {
		p := s.sidecars[pod]
		err := cmp.Or(died[pod], p.Wait(ctx, s.opts.Patience))
		took := ""
		if err == nil {
			took = ", " + millis(p.Ended.Sub(began)) + " after SIGTERM"
		}
		s.expect(err == nil, fmt.Sprintf("the sidecar in %s ends with exit code 0%s", pod, took), fmt.Sprint(err))
	}
	s.t.note("EC2 calls: %s", count(tally(since(s.sim.VPC.Calls(), began))))
	left := difference(s.atStart, holdingsOf(s.sim.VPC.ENIs()), append(addressesOf(podOf(s.topo, client)), addressesOf(podOf(s.topo, coreB))...))
	left = append(left, s.routesLeft()...)
	s.expect(len(left) == 0, "EC2 is as at the start, but for two addresses each of client and core-b", strings.Join(left, ", "))
	s.t.note("Client's stay by design: \"registrar init\" leaves nobody behind to release them; a sidecar would. " +
		"Those of core-b are on the ENI of the worker that lost its power.")
	return nil
}

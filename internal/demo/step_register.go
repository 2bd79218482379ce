// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/proc"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// register runs the registrar in each pod: as an init container in the client,
// as a sidecar in the others.
func (s *story) register(ctx context.Context) error {
	s.t.chapter("3. The registrar runs in each pod")
	if err := s.initialise(ctx, client); err != nil {
		return err
	}
	s.t.say("active and standby run \"registrar sidecar\"; \"registrar wait\" tells when they are ready")
	var ready []*proc.Process
	for _, pod := range []string{active, standby} {
		w, err := s.startSidecar(pod)
		if err != nil {
			return err
		}
		ready = append(ready, w)
	}
	for i, pod := range []string{active, standby} {
		if err := s.becomesReady(ctx, podOf(s.topo, pod), ready[i]); err != nil {
			return err
		}
	}
	s.t.table(routedTable(s.report.Routed))
	s.t.note("EC2 calls: %s", count(tally(s.sim.VPC.Calls())))
	s.t.note("Per pod: one look at what is there, then one call for each ENI and family.")
	return s.showStatus(ctx, active)
}

// initialise runs registrar init in a pod.
func (s *story) initialise(ctx context.Context, pod string) error {
	s.t.say("%s runs \"registrar init\", as its init container would", pod)
	began := time.Now()
	p, err := s.registrar(pod, "init")
	if err != nil {
		return err
	}
	err = p.Wait(ctx, s.opts.Patience)
	if err := s.demand(err == nil, "init in "+pod+" ends with exit code 0", fmt.Sprint(err)); err != nil {
		return err
	}
	s.report.Routed = append(s.report.Routed, Routed{pod, podOf(s.topo, pod).Worker, "init", Millis(p.Took()), tally(since(s.sim.VPC.Calls(), began))})
	return s.has(podOf(s.topo, pod))
}

// startSidecar starts the registrar in a pod, and what waits for it.
func (s *story) startSidecar(pod string, flags ...string) (ready *proc.Process, err error) {
	if s.sidecars[pod], err = s.registrar(pod, "sidecar", flags...); err != nil {
		return nil, err
	}
	return s.registrar(pod, "wait")
}

// becomesReady waits for a sidecar that was just started.
func (s *story) becomesReady(ctx context.Context, pod topology.Pod, ready *proc.Process) error {
	err := ready.Wait(ctx, s.opts.Patience)
	sidecar := s.sidecars[pod.Name]
	if err == nil && !sidecar.Running() {
		err = errors.New(sidecar.Name + " has ended")
	}
	if err := s.demand(err == nil, "the sidecar in "+pod.Name+" is ready", fmt.Sprint(err)); err != nil {
		return err
	}
	calls := since(s.sim.VPC.Calls(), sidecar.Began)
	mine := calls[:0]
	for _, c := range calls {
		if c.Worker == pod.Worker {
			mine = append(mine, c)
		}
	}
	s.report.Routed = append(s.report.Routed, Routed{pod.Name, pod.Worker, "sidecar", Millis(ready.Ended.Sub(sidecar.Began)), tally(mine)})
	return s.has(pod)
}

// has checks that EC2 has a pod's addresses where they belong: what a program
// says of itself proves nothing.
func (s *story) has(pod topology.Pod) error {
	all := addressesOf(pod)
	var missing string
	for _, o := range all {
		if e, ok := s.sim.VPC.Owner(o.addr); !ok || e.Name != o.eni {
			missing += fmt.Sprintf("%s is not on %s. ", o.addr, o.eni)
		}
	}
	return s.demand(missing == "", fmt.Sprintf("EC2 has the %d addresses of %s on the ENIs below them", len(all), pod.Name), missing)
}

// showStatus prints what registrar status says in a pod.
func (s *story) showStatus(ctx context.Context, pod string) error {
	p, err := s.registrar(pod, "status")
	if err != nil {
		return err
	}
	err = p.Wait(ctx, s.opts.Patience)
	if err := s.demand(err == nil, "\"registrar status\" in "+pod+" answers", fmt.Sprint(err)); err != nil {
		return err
	}
	s.t.gap()
	s.t.block(linesOf(p.Out.String()))
	return nil
}

// registrar starts the program in a pod. Its environment has nothing of the
// user's: what leads to AWS here must lead to this VPC.
func (s *story) registrar(pod, command string, flags ...string) (*proc.Process, error) {
	p := s.sim.Fabric.Pod(pod)
	dir := filepath.Join(s.sim.Fabric.Dir(), "state", p.Worker().Name, pod) // a pod's emptyDir
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the registrar's state directory: %w", err)
	}
	env := append(s.sim.Env(pod), "REGISTRAR_STATE_DIR="+dir, "REGISTRAR_TERMINATION_LOG="+filepath.Join(dir, "termination-log"))
	started, err := proc.Start(p.Namespace, fmt.Sprintf("registrar %s in %s", command, pod), env, append([]string{s.opts.Registrar, command}, flags...)...)
	if err != nil {
		return nil, err
	}
	s.procs = append(s.procs, started)
	return started, nil
}

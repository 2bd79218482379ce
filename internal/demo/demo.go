// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/proc"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/traffic"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// DefaultPatience is how long a single thing may take before it counts as not
// happening. On an idle machine none takes a second.
const DefaultPatience = 10 * time.Second

// Options of Run.
type Options struct {
	// Registrar is the path of the program.
	Registrar string
	// Out is where the story is told; Color allows escape sequences in it.
	Out   io.Writer
	Color bool
	// Prefix is what the names of the namespaces begin with.
	Prefix string
	// Patience is how long a single thing may take. Default DefaultPatience.
	Patience time.Duration
	// Pause is a time to read in after each chapter.
	Pause time.Duration
	// Keep, when not nil, is called after the story, while the VPC is still
	// there, and may wait until ctx ends.
	Keep func(ctx context.Context, sim *vpcsim.Sim)
}

// A story is one run of the demo.
type story struct {
	opts   Options
	t      *timeline
	topo   topology.Topology
	sim    *vpcsim.Sim
	report Report

	atStart  holdings
	before   []pairResult
	pings    uint16 // sent so far
	procs    []*proc.Process
	sidecars map[string]*proc.Process // those that should be running, by pod
	echoes   map[string]*traffic.Echo // by pod
}

// Run tells the whole story. It needs root, or package sandbox, and leaves no
// process and no namespace behind, however it ends. The error is ErrNotAsTold
// when the story was told and something in it was wrong, and ctx's when it was
// interrupted. The report has what was measured until then.
func Run(ctx context.Context, opts Options) (Report, error) {
	if opts.Patience == 0 {
		opts.Patience = DefaultPatience
	}
	topo, err := loadTopology()
	if err != nil {
		return Report{}, err
	}
	s := &story{
		opts: opts, t: newTimeline(opts.Out, opts.Color), topo: topo,
		sidecars: make(map[string]*proc.Process), echoes: make(map[string]*traffic.Echo),
		report: Report{Failed: []string{}, Routed: []Routed{}, Failovers: []Failover{}},
	}
	err = s.tell(ctx)
	if err == nil && opts.Keep != nil {
		opts.Keep(ctx, s.sim)
	}
	closed := s.close()
	if err == nil && !s.report.OK {
		err = ErrNotAsTold
	}
	return s.report, errors.Join(err, closed)
}

// tell tells the chapters and the summary.
func (s *story) tell(ctx context.Context) error {
	s.introduce()
	var err error
	for _, chapter := range []func(context.Context) error{
		s.up, s.silence, s.register, s.voices, s.handOver, s.acrossZones, s.powerCut, s.comeBack, s.shutdown,
	} {
		if err = chapter(ctx); err != nil {
			break
		}
		pause(ctx, s.opts.Pause)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted; everything is removed (%w)", ctx.Err())
	}
	if s.sim != nil {
		s.report.Calls = tally(s.sim.VPC.Calls())
	}
	s.report.OK = err == nil && len(s.report.Failed) == 0
	s.report.Took = Millis(time.Since(s.t.began))
	if err != nil && !errors.Is(err, errStop) {
		return err
	}
	s.summary()
	return nil
}

// close ends everything that the story has started.
func (s *story) close() error {
	for _, p := range s.procs {
		p.Kill()
	}
	for _, e := range s.echoes {
		e.Close()
	}
	if s.sim == nil {
		return nil
	}
	return s.sim.Close()
}

func (s *story) startVPC(ctx context.Context) (err error) {
	topo := s.topo
	topo.Pods = slices.DeleteFunc(slices.Clone(topo.Pods), func(p topology.Pod) bool { return p.Name == coreA || p.Name == coreB }) // they come later
	s.sim, err = vpcsim.Start(ctx, topo, vpcsim.Options{Fabric: fabric.Options{Prefix: s.opts.Prefix}})
	return err
}

// await asks again and again until something is so; false when it never was.
func (s *story) await(ctx context.Context, so func() bool) bool {
	const often = 2 * time.Millisecond
	end := time.Now().Add(s.opts.Patience)
	for !so() {
		if ctx.Err() != nil || time.Now().After(end) {
			return false
		}
		pause(ctx, often)
	}
	return true
}

func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

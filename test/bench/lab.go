// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

//go:embed lab.yaml
var labYAML []byte

// A lab is a VPC of its own for one measurement.
type lab struct {
	*vpcsim.Sim
	dir string // for state directories and logs
	bin string
}

// inLab makes a lab, measures in it, and removes it.
func inLab(ctx context.Context, o options, remote *vpcsim.Remote, measure measurement) ([]figure, error) {
	t, err := topology.Parse("lab.yaml", labYAML)
	if err != nil {
		return nil, err
	}
	return inLabOf(ctx, o, t, vpcsim.Options{Fabric: fabric.Options{Prefix: "bench"}, Remote: remote}, measure)
}

type measurement = func(context.Context, *lab, options) ([]figure, error)

func inLabOf(ctx context.Context, o options, t topology.Topology, opts vpcsim.Options, measure measurement) (got []figure, err error) {
	dir, err := os.MkdirTemp("", "registrar-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a lab: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	sim, err := vpcsim.Start(ctx, t, opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, sim.Close()) }()
	return measure(ctx, &lab{sim, dir, o.registrar}, o)
}

// A process is a registrar in a pod.
type process struct {
	*exec.Cmd
	log string
}

// start runs the registrar in a pod; its log goes to a file, as a container's does.
func (l *lab) start(pod, name string, args ...string) (*process, error) {
	log := filepath.Join(l.dir, name+".log")
	f, err := os.Create(log)
	if err != nil {
		return nil, fmt.Errorf("start the registrar: %w", err)
	}
	defer f.Close()
	cmd := exec.Command(l.bin, append(args, "--state-dir", filepath.Join(l.dir, name), "--termination-log", "")...)
	cmd.Env = l.Env(pod)
	cmd.Stdout, cmd.Stderr = f, f
	if err := l.Fabric.Pod(pod).Start(cmd); err != nil {
		return nil, fmt.Errorf("start the registrar in pod %s: %w", pod, err)
	}
	return &process{cmd, log}, nil
}

// stop ends a process and returns its exit code.
func (p *process) stop(sig os.Signal) (int, error) {
	if err := p.Process.Signal(sig); err != nil {
		return 0, fmt.Errorf("signal the registrar: %w", err)
	}
	return p.wait()
}

func (p *process) wait() (int, error) {
	err := p.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, fmt.Errorf("wait for the registrar: %w", err)
	}
	return p.ProcessState.ExitCode(), nil
}

// until polls a condition; the figures never depend on how often.
func until(ctx context.Context, what string, is func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for !is() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain until %s", what)
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

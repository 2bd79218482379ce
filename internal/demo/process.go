// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
)

const (
	// pipeDelay bounds the wait for what a process has left behind with its
	// output open.
	pipeDelay = time.Second
	// tailLines of a process' output are shown when it fails.
	tailLines = 4
)

// A process is a program that runs in a pod.
type process struct {
	name  string // for people: "registrar init in client"
	cmd   *exec.Cmd
	out   output
	began time.Time

	done  chan struct{} // closed when it has ended; then:
	ended time.Time
	err   error
}

// startProcess runs argv in a namespace with exactly env. It ends by itself, by
// a signal, or by kill; the caller must see to it that it has ended.
func startProcess(in *netspace.Namespace, name string, env []string, argv ...string) (*process, error) {
	p := &process{name: name, cmd: exec.Command(argv[0], argv[1:]...), done: make(chan struct{})}
	p.cmd.Env = env
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.WaitDelay = pipeDelay
	// A group of its own: Ctrl-C on the terminal is the demo's to handle.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.began = time.Now()
	if err := in.Start(p.cmd); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
		p.ended = time.Now()
		p.killGroup() // what it has started, if anything
	}()
	return p, nil
}

// wait returns when the process has ended, or an error when that takes longer
// than patience or its exit code is not 0.
func (p *process) wait(ctx context.Context, patience time.Duration) error {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-p.done:
	case <-limit.C:
		return fmt.Errorf("%s has not ended after %v", p.name, patience)
	case <-ctx.Done():
		return ctx.Err()
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w", p.name, p.err)
	}
	return nil
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// took is how long the process ran; it must have ended.
func (p *process) took() time.Duration { return p.ended.Sub(p.began) }

func (p *process) terminate() error { return p.cmd.Process.Signal(syscall.SIGTERM) }

// kill ends the process, and what it has started, and waits for it.
func (p *process) kill() {
	if p.running() {
		p.killGroup()
	}
	<-p.done
}

func (p *process) killGroup() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // that nobody is left is as good
}

// tail is the end of what the process has printed.
func (p *process) tail() string {
	lines := linesOf(p.out.String())
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}

// An output takes what a process prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

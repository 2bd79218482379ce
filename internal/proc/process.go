// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package proc

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

// A Process is a program that runs in a pod.
type Process struct {
	// Name is for people: "registrar init in client".
	Name string
	// Out is what it has printed so far.
	Out   Output
	Began time.Time
	// Ended is when it did; Wait and Kill return after that.
	Ended time.Time

	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error
}

// Start runs argv in a namespace with exactly env. It ends by itself, by
// a signal, or by Kill; the caller must see to it that it has ended.
func Start(in *netspace.Namespace, name string, env []string, argv ...string) (*Process, error) {
	p := &Process{Name: name, cmd: exec.Command(argv[0], argv[1:]...), done: make(chan struct{})}
	p.cmd.Env = env
	p.cmd.Stdout, p.cmd.Stderr = &p.Out, &p.Out
	p.cmd.WaitDelay = pipeDelay
	// A group of its own: Ctrl-C on the terminal is the demo's to handle.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.Began = time.Now()
	if err := in.Start(p.cmd); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
		p.Ended = time.Now()
		p.killGroup() // what it has started, if anything
	}()
	return p, nil
}

// Wait returns when the process has ended, or an error when that takes longer
// than patience or its exit code is not 0.
func (p *Process) Wait(ctx context.Context, patience time.Duration) error {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-p.done:
	case <-limit.C:
		return fmt.Errorf("%s has not ended after %v", p.Name, patience)
	case <-ctx.Done():
		return ctx.Err()
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w", p.Name, p.err)
	}
	return nil
}

// Running says whether it has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Took is how long the process ran; it must have ended.
func (p *Process) Took() time.Duration { return p.Ended.Sub(p.Began) }

// Signal sends a signal to the process; one that has ended is an error.
func (p *Process) Signal(s syscall.Signal) error { return p.cmd.Process.Signal(s) }

// Kill ends the process, and what it has started, and waits for it.
func (p *Process) Kill() {
	if p.Running() {
		p.killGroup()
	}
	<-p.done
}

func (p *Process) killGroup() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // that nobody is left is as good
}

// Tail is the end of what the process has printed.
func (p *Process) Tail() string {
	lines := strings.Split(strings.TrimRight(p.Out.String(), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}

// An Output takes what a process prints.
type Output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

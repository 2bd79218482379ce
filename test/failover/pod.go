// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/proc"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/traffic"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric"
)

// The names of the pair in world.yaml and zones.yaml.
const (
	podA  = "a" // active at first: its priority is higher
	podB  = "b"
	iface = "net1"
)

// A pod is one of the pair: its application, keepalived and the registrar.
type pod struct {
	*fabric.Pod
	lab    *lab
	eni    string // the name of the ENI below net1
	worker string
	vrrp   netip.Addr // its own address, which its VRRP comes from
	dir    string     // its volumes
	conf   string     // keepalived's configuration

	echo                *traffic.Echo
	sidecar, keepalived *proc.Process
	all                 []*proc.Process // also those that have ended
}

// start starts the registrar, and the application when that is ready, as
// Kubernetes does. keepalived is the lab's to start.
func (p *pod) start(ctx context.Context) (err error) {
	if err := p.startSidecar(); err != nil {
		return err
	}
	wait, err := p.registrar("wait")
	if err != nil {
		return err
	}
	if err := wait.Wait(ctx, patience); err != nil {
		return fmt.Errorf("%w\n%s", err, p.sidecar.Tail())
	}
	addrs := p.lab.sc.ips.addresses
	p.echo, err = traffic.StartEcho(ctx, p.Namespace, addrs[:])
	return err
}

// close ends what start has started.
func (p *pod) close() {
	for _, c := range p.all {
		c.Kill()
	}
	if p.echo != nil {
		p.echo.Close()
	}
}

func (p *pod) registrar(args ...string) (*proc.Process, error) {
	env := append(p.lab.Env(p.Name), "REGISTRAR_STATE_DIR="+filepath.Join(p.dir, "state"), "REGISTRAR_TERMINATION_LOG=")
	return p.run("registrar "+args[0], env, append([]string{p.lab.opts.registrar}, args...)...)
}

func (p *pod) run(name string, env []string, argv ...string) (*proc.Process, error) {
	c, err := proc.Start(p.Namespace, name+" in "+p.Name, env, argv...)
	if err != nil {
		return nil, err
	}
	p.all = append(p.all, c)
	return c, nil
}

// startSidecar starts the registrar, with the state that an earlier one left.
func (p *pod) startSidecar() (err error) {
	ips := p.lab.sc.ips
	args := append([]string{"sidecar", "--floating-ips", ips.addresses[0].String() + "," + ips.addresses[1].String()}, ips.sidecar...)
	p.sidecar, err = p.registrar(append(args, p.lab.opts.sidecar...)...)
	return err
}

// startKeepalived starts keepalived in a container of its own: without the files
// of an earlier one.
func (p *pod) startKeepalived() (err error) {
	file := func(name string) string { return filepath.Join(p.dir, name) }
	for _, name := range []string{"keepalived.pid", "vrrp.pid"} {
		if err := os.Remove(file(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("start keepalived anew: %w", err)
		}
	}
	p.keepalived, err = p.run("keepalived", []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, p.lab.opts.keepalived,
		"--dont-fork", "--log-console", "--log-detail", "--no-syslog", "--vrrp", "--config-id="+p.Name, "--use-file="+p.conf,
		"--pid="+file("keepalived.pid"), "--vrrp_pid="+file("vrrp.pid"))
	return err
}

// restartSidecar kills the registrar and starts it again as the kubelet would,
// which has seen it end.
func (p *pod) restartSidecar(ctx context.Context) error {
	if p.sidecar.Running() {
		p.lab.mark(p.Name, "sidecar killed")
		p.sidecar.Kill()
	}
	pause(ctx, kubeletRestart)
	p.lab.mark(p.Name, "sidecar started")
	return p.startSidecar()
}

// handOver makes keepalived let go of the addresses, or be a standby again.
func (p *pod) handOver(letGo bool) error {
	value := "0\n"
	if letGo {
		value = "1\n"
	}
	if err := os.WriteFile(filepath.Join(p.dir, handOverFile), []byte(value), 0o644); err != nil {
		return fmt.Errorf("ask pod %s to hand over: %w", p.Name, err)
	}
	return nil
}

// end is what the kubelet does when the pod is deleted.
func (p *pod) end(ctx context.Context) error {
	for _, c := range []*proc.Process{p.keepalived, p.sidecar} {
		if err := c.Signal(syscall.SIGTERM); err != nil {
			return fmt.Errorf("end %s: %w", c.Name, err)
		}
		if err := c.Wait(ctx, patience); err != nil {
			return err
		}
	}
	return p.Remove()
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/traffic"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

const (
	// patience bounds the wait for what must come.
	patience = 30 * time.Second
	// glance is the time between two looks.
	glance = time.Millisecond
	// steady is how long packets must flow before a trouble, and after it.
	steady = 500 * time.Millisecond
	// kubeletRestart is how long the kubelet takes to start a container again
	// that ended for the first time: it looks once a second.
	// Source: Kubernetes, pkg/kubelet, genericPlegRelistPeriod.
	kubeletRestart = time.Second
)

// A lab is the VPC of one scenario.
type lab struct {
	*vpcsim.Sim
	sc      scenario
	opts    options
	dir     string
	kernel  *kernel
	a, b    *pod
	streams []*traffic.Stream

	mu    sync.Mutex
	marks []moment
	// began is when the trouble began, settled when keepalived was to be left
	// alone: its share of the outage counts from then.
	began, settled time.Time
	atStart        map[way]string // the ENIs that the VPC delivered to then
}

// A moment is something that the scenario did.
type moment struct {
	at   time.Time
	pod  string // "" is both
	what string
}

// inLab makes a lab for a scenario, with the pair running and packets flowing
// to pod a, calls do, and removes everything.
func inLab(ctx context.Context, sc scenario, opts options, do func(*lab) error) (err error) {
	t, err := topology.Parse(sc.ips.name, sc.ips.world)
	if err != nil {
		return err
	}
	if sc.sameWorker {
		i := slices.IndexFunc(t.Pods, func(p topology.Pod) bool { return p.Name == podB })
		t.Pods[i].Worker = "worker1"
		t.Pods[i].Interfaces[0].ENI = "w1-n3"
	}
	l := &lab{sc: sc, opts: opts, kernel: newKernel(sc.ips.addresses[:])}
	defer l.kernel.close()
	if l.dir, err = os.MkdirTemp("", "failover-"); err != nil {
		return fmt.Errorf("make a lab: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(l.dir)) }()
	if l.Sim, err = vpcsim.Start(ctx, t, vpcsim.Options{Fabric: fabric.Options{Prefix: "fo-" + sc.name}}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	defer func() {
		for _, s := range l.streams {
			s.Close()
		}
		for _, p := range []*pod{l.a, l.b} {
			if p != nil {
				p.close()
			}
		}
		err = errors.Join(err, l.writeLogs())
	}()
	if sc.before != nil {
		sc.before(l)
	}
	if err := l.start(ctx); err != nil {
		return err
	}
	return do(l)
}

// start starts the clients and the pair, and the streams.
func (l *lab) start(ctx context.Context) (err error) {
	if l.a, err = l.pod(podA); err != nil {
		return err
	}
	if l.b, err = l.pod(podB); err != nil {
		return err
	}
	for _, client := range l.sc.ips.clients() {
		if err := l.startClient(ctx, client); err != nil {
			return err
		}
	}
	for _, p := range []*pod{l.a, l.b} {
		if err := p.start(ctx); err != nil {
			return err
		}
	}
	if err := l.a.startKeepalived(); err != nil {
		return err
	}
	if err := l.until(ctx, patience, "pod a has the floating IPs", func() bool { return l.holds(l.a) }); err != nil {
		return fmt.Errorf("%w\n%s", err, l.a.keepalived.Tail())
	}
	if err := l.b.startKeepalived(); err != nil {
		return err
	}
	for _, w := range l.sc.ips.ways {
		s, err := traffic.Start(ctx, l.Fabric.Pod(w.from).Namespace, w.addr)
		if err != nil {
			return err
		}
		l.streams = append(l.streams, s)
	}
	return l.until(ctx, patience, "packets flow to pod a", func() bool { return l.flows(time.Now().Add(-2 * steady)) })
}

// startClient has a client's own addresses assigned.
func (l *lab) startClient(ctx context.Context, name string) error {
	p := &pod{Pod: l.Fabric.Pod(name), lab: l, dir: filepath.Join(l.dir, name)}
	defer p.close()
	init, err := p.registrar("init")
	if err != nil {
		return err
	}
	return init.Wait(ctx, patience)
}

func (l *lab) pod(name string) (*pod, error) {
	p := &pod{Pod: l.Fabric.Pod(name), lab: l, dir: filepath.Join(l.dir, name)}
	if err := os.MkdirAll(filepath.Join(p.dir, "state"), 0o755); err != nil {
		return nil, fmt.Errorf("make the volumes of pod %s: %w", name, err)
	}
	for _, t := range l.VPC.Topology().Pods {
		if t.Name == name {
			p.eni, p.worker, p.vrrp = t.Interfaces[0].ENI, t.Worker, t.Interfaces[0].Addresses[0].Addr()
		}
	}
	var err error
	if p.conf, err = writeConfig(l.opts.keepalivedConf, p.dir, l.sc.ips); err != nil {
		return nil, err
	}
	return p, l.kernel.follow(p.Pod)
}

func (l *lab) peer(p *pod) *pod {
	if p == l.a {
		return l.b
	}
	return l.a
}

// mark notes what the scenario does now; "" is no pod's.
func (l *lab) mark(pod, what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.marks = append(l.marks, moment{time.Now(), pod, what})
}

// quiet says that from now on keepalived has all that it needs to settle who is
// active. Scenarios in which that is not their beginning call it.
func (l *lab) quiet() { l.settled = time.Now() }

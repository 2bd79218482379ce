// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/laws"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/control"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

//go:embed lab.yaml
var labYAML []byte

const (
	holdDown    = 3 * time.Second
	holdDownMax = 20 * time.Second
	// slowest is the longest EC2 takes for a call.
	slowest = 3 * time.Second
)

// floating are the addresses that come and go; the last two are routes.
var floating = []netip.Addr{
	netip.MustParseAddr("10.0.1.200"), netip.MustParseAddr("10.0.1.201"),
	netip.MustParseAddr("2001:db8:0:1::200"), netip.MustParseAddr("2001:db8:0:1::201"),
	netip.MustParseAddr("192.0.2.200"), netip.MustParseAddr("3fff::200"),
}

func routed(a netip.Addr) bool { return slices.Index(floating, a) >= len(floating)-2 }

// A lab is the VPC with its pods.
type lab struct {
	*vpcsim.Sim
	dir   string // for state directories
	bin   string
	rng   *rand.Rand
	audit *laws.Auditor
	pods  []*pod
	deeds int
}

// A pod has a registrar now and then.
type pod struct {
	lab   *lab
	spec  topology.Pod
	eni   string // its id
	has   map[netip.Addr]netip.Prefix
	lives int
	cmd   *exec.Cmd
	log   *bytes.Buffer
	state string
}

func newLab(ctx context.Context, o options) (l *lab, err error) {
	top, err := topology.Parse("lab.yaml", labYAML)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "registrar-soak-")
	if err != nil {
		return nil, fmt.Errorf("make a lab: %w", err)
	}
	l = &lab{dir: dir, bin: o.registrar}
	if l.Sim, err = vpcsim.Start(ctx, top, vpcsim.Options{Fabric: fabric.Options{Prefix: "soak"}}); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	cfg := laws.Config{HoldDown: holdDown, HoldDownMax: holdDownMax, Reset: 10 * time.Minute, RoundTrip: 4 * slowest, Unread: time.Second, Crossing: 100 * time.Millisecond,
		Sender: func(c model.Call) string { return strings.TrimPrefix(c.AccessKey, "pod-") }}
	for _, e := range l.VPC.ENIs() {
		cfg.Primaries = append(cfg.Primaries, e.Primary)
	}
	l.audit = laws.New(cfg)
	l.VPC.SetWitness(l.audit.Witness)
	for _, spec := range l.VPC.Topology().Pods {
		eni, _ := l.VPC.ENI(spec.Interfaces[0].ENI)
		p := &pod{lab: l, spec: spec, eni: eni.ID, has: map[netip.Addr]netip.Prefix{}}
		for _, a := range spec.Interfaces[0].Addresses {
			p.has[a.Addr()] = a
			l.audit.Appeared(spec.Name, a.Addr())
		}
		l.pods = append(l.pods, p)
		if err := p.start(true); err != nil {
			return nil, errors.Join(err, l.close())
		}
	}
	return l, nil
}

func (l *lab) close() error {
	for _, p := range l.pods {
		p.kill()
	}
	return errors.Join(l.Close(), os.RemoveAll(l.dir))
}

// canHold says whether an ENI of the pod's subnet can have a floating address.
func (p *pod) canHold(a netip.Addr) bool { return routed(a) || p.spec.Name != "d" }

// start starts the registrar; fresh, in a new pod.
func (p *pod) start(fresh bool) error {
	if fresh {
		p.lives++
		p.state = filepath.Join(p.lab.dir, fmt.Sprintf("%s-%d", p.spec.Name, p.lives))
	}
	var named, tables []string
	for _, a := range floating {
		if p.canHold(a) {
			named = append(named, a.String())
		}
	}
	for _, t := range p.lab.VPC.Topology().RouteTables {
		if t.Name != topology.MainRouteTable {
			tables = append(tables, t.ID)
		}
	}
	p.log = &bytes.Buffer{}
	p.cmd = exec.Command(p.lab.bin, "sidecar", "--state-dir", p.state, "--termination-log", "", "--log-level", "warn",
		"--hold-down", holdDown.String(), "--hold-down-max", holdDownMax.String(), "--hint-interval", "1s", "--describe-interval", "30s", "--shutdown-timeout", "2m",
		"--floating-ips", strings.Join(named, ","), "--route-tables", strings.Join(tables, ","))
	// Names of the pods instead of the worker's: the log of calls tells them apart.
	for _, e := range p.lab.Env(p.spec.Name) {
		if !strings.HasPrefix(e, "AWS_ACCESS_KEY_ID=") && !strings.HasPrefix(e, "AWS_SESSION_TOKEN=") {
			p.cmd.Env = append(p.cmd.Env, e)
		}
	}
	p.cmd.Env = append(p.cmd.Env, "AWS_ACCESS_KEY_ID=pod-"+p.spec.Name)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.lab.audit.Started(p.spec.Name, p.eni, fresh)
	if err := p.lab.Fabric.Pod(p.spec.Name).Start(p.cmd); err != nil {
		p.cmd = nil
		return fmt.Errorf("start the registrar in pod %s: %w", p.spec.Name, err)
	}
	return nil
}

// kill is kill -9.
func (p *pod) kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill() // one that has ended is fine
		_ = p.cmd.Wait()
		p.cmd = nil
		p.lab.audit.Died(p.spec.Name)
	}
}

// up waits until the registrar is there: before its first lines of code have
// run, SIGTERM ends it as it ends any program.
func (p *pod) up() error {
	for range 1000 {
		if c, err := net.Dial("unix", control.SocketPath(p.state)); err == nil {
			return c.Close()
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("the registrar in pod %s serves no status\n%s", p.spec.Name, p.log)
}

// terminate is SIGTERM; an error says that it could not release everything.
func (p *pod) terminate() error {
	if err := p.up(); err != nil {
		return err
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("the registrar in pod %s has ended by itself: %w\n%s", p.spec.Name, errors.Join(err, p.cmd.Wait()), p.log)
	}
	err := p.cmd.Wait()
	p.cmd = nil
	if err != nil {
		return fmt.Errorf("pod %s: %w\n%s", p.spec.Name, err, p.log)
	}
	return nil
}

// add gives the pod an address, unless one on the same ENI has it.
func (p *pod) add(a netip.Addr) error {
	if _, has := p.has[a]; has || !p.canHold(a) {
		return nil
	}
	for _, o := range p.lab.pods {
		if _, has := o.has[a]; has && o.eni == p.eni {
			return nil
		}
	}
	p.lab.audit.Appeared(p.spec.Name, a)
	p.has[a] = netip.PrefixFrom(a, a.BitLen())
	return p.lab.Fabric.Pod(p.spec.Name).AddAddress("net1", p.has[a])
}

func (p *pod) remove(a netip.Addr) error {
	prefix, has := p.has[a]
	if !has {
		return nil
	}
	delete(p.has, a)
	err := p.lab.Fabric.Pod(p.spec.Name).DelAddress("net1", prefix)
	p.lab.audit.Vanished(p.spec.Name, a)
	return err
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/vswitch"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// A Fabric is a running VPC. Close it to remove every trace.
type Fabric struct {
	// Features is what the kernel has.
	Features Features

	opts   Options
	topo   topology.Topology
	ipv6   bool // the kernel has it
	claim  *netspace.Claim
	sw     *vswitch.Switch
	aws    *netspace.Namespace
	byName map[string]*eni // never changes after New

	build sync.Mutex // one change to the set of namespaces at a time
	mu    sync.Mutex
	// Removed workers and pods are not in these.
	workers map[string]*Worker
	pods    map[string]*Pod
	closed  bool
}

// New builds the network of t, which must be complete (topology.Parse or
// Complete), around vpc. When ctx ends early, or anything fails, nothing is
// left behind.
func New(ctx context.Context, t topology.Topology, vpc VPC, opts Options) (*Fabric, error) {
	opts = opts.withDefaults()
	features, err := Probe()
	if err != nil {
		return nil, err
	}
	if opts.RequireIPvlan && !features.IPvlan {
		return nil, errors.New("start the fabric with real ipvlan: this kernel has none; load the module with \"modprobe ipvlan\", or leave RequireIPvlan off")
	}
	features.IPvlan = features.IPvlan && !opts.NoIPvlan
	claim, err := netspace.Acquire(opts.Prefix)
	if err != nil {
		return nil, fmt.Errorf("start the fabric: %w", err)
	}
	f := &Fabric{
		Features: features, opts: opts, topo: t, claim: claim,
		sw:      vswitch.New(vpc, vswitch.Options{AnswerDAD: opts.AnswerDAD}),
		workers: make(map[string]*Worker), pods: make(map[string]*Pod),
	}
	if err := f.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start the fabric: %w", err), f.Close())
	}
	return f, nil
}

func (f *Fabric) start(ctx context.Context) (err error) {
	if f.ipv6, err = haveIPv6(f.topo); err != nil {
		return err
	}
	if f.byName, err = enisOf(f.topo); err != nil {
		return err
	}
	for _, e := range f.byName {
		if err := f.sw.AddENI(e.wire); err != nil {
			return err
		}
	}
	if f.aws, err = f.startAWS(); err != nil {
		return err
	}
	for i, w := range f.topo.Workers {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f.addWorker(i, w); err != nil {
			return fmt.Errorf("worker %s: %w", w.Name, err)
		}
	}
	for _, p := range f.topo.Pods {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := f.AddPod(p); err != nil {
			return err
		}
	}
	return nil
}

// Worker returns a worker by name; nil when there is none, or not any more.
func (f *Fabric) Worker(name string) *Worker {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.workers[name]
}

// Pod returns a pod by name; nil when there is none, or not any more.
func (f *Fabric) Pod(name string) *Pod {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pods[name]
}

// Pods returns the pods, sorted by name.
func (f *Fabric) Pods() []*Pod {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []*Pod
	for _, p := range f.pods {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *Pod) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// forget takes a pod or a worker off its list and says whether it was there:
// another one may have its name by now.
func forget[T comparable](f *Fabric, list map[string]T, name string, gone T) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if list[name] != gone {
		return false
	}
	delete(list, name)
	return true
}

// AWS is the namespace in which the VPC's services listen.
func (f *Fabric) AWS() *netspace.Namespace { return f.aws }

// Dir is a directory of this run's own, which Close removes.
func (f *Fabric) Dir() string { return f.claim.Dir() }

// Counters returns what happened to the frames of an ENI, by topology name.
func (f *Fabric) Counters(eniName string) vswitch.Counters {
	e := f.byName[eniName]
	if e == nil {
		return vswitch.Counters{}
	}
	return f.sw.Counters(e.spec.ID)
}

// Close removes every namespace and device, kills the processes that were
// started in them, and returns when all goroutines have ended.
func (f *Fabric) Close() error {
	f.build.Lock()
	defer f.build.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	// The switch first: after it no frame moves, and taps are gone. The
	// kernel removes the other devices with their namespaces.
	errs := []error{f.sw.Close()}
	for _, p := range f.Pods() {
		errs = append(errs, p.close(nil))
	}
	for _, w := range f.topo.Workers {
		if w := f.Worker(w.Name); w != nil {
			errs = append(errs, w.close(nil))
		}
	}
	if f.aws != nil {
		errs = append(errs, f.aws.Close())
	}
	return errors.Join(append(errs, f.claim.Release())...)
}

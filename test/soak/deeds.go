// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// disturb lets random things happen for a while.
func (l *lab) disturb(ctx context.Context, d time.Duration) error {
	for began := time.Now(); time.Since(began) < d; l.deeds++ {
		if err := l.do(); err != nil {
			return err
		}
		pause := []time.Duration{0, time.Millisecond, 20 * time.Millisecond, 200 * time.Millisecond, time.Second, 3 * time.Second}
		select {
		case <-time.After(pause[l.rng.IntN(len(pause))]):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// do lets one thing happen.
func (l *lab) do() error {
	p, a := l.pods[l.rng.IntN(len(l.pods))], floating[l.rng.IntN(len(floating))]
	mortal := l.pods[2+l.rng.IntN(2)] // the others live as long as the soak, to be measured
	fault := func(f model.Fault) error {
		if f.For == 0 {
			f.Count = 1 + l.rng.IntN(6)
		}
		l.VPC.Inject(f)
		return nil
	}
	imds := func(f func(*model.IMDSState)) error {
		l.VPC.TuneIMDS(p.spec.Worker, f)
		return nil
	}
	switch l.rng.IntN(24) {
	case 0, 1, 2, 3, 4, 5, 6:
		return errors.Join(l.removeAll(a), p.add(a))
	case 7, 8:
		return p.remove(a)
	case 9, 10:
		return p.add(a)
	case 11: // a split-brain
		return errors.Join(l.pods[0].add(a), l.pods[1].add(a))
	case 12, 13:
		mortal.kill()
		return mortal.start(false)
	case 14:
		return l.replace(mortal)
	case 15:
		return fault(model.Fault{Code: "RequestLimitExceeded", Spare: 10, For: 5 * time.Second})
	case 16:
		return fault(model.Fault{Drop: model.DropBefore})
	case 17:
		return fault(model.Fault{Drop: model.DropAfter})
	case 18:
		return fault(model.Fault{Drop: model.DropBefore, For: time.Duration(1+l.rng.IntN(10)) * time.Second})
	case 19:
		return fault(model.Fault{Code: "InternalError", HTTPStatus: 500})
	case 20:
		latency := []time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond, slowest / 2}
		l.VPC.Tune(func(e *topology.EC2) {
			e.Latency = latency[l.rng.IntN(len(latency))]
			e.Jitter = e.Latency / 2
		})
	case 21:
		down := l.rng.IntN(2) == 0
		return imds(func(i *model.IMDSState) { i.Down = down })
	case 22:
		stale := time.Duration(l.rng.IntN(60)) * time.Second
		return imds(func(i *model.IMDSState) { i.Staleness = stale })
	case 23:
		l.endFaults()
	}
	return nil
}

func (l *lab) removeAll(a netip.Addr) error {
	var errs []error
	for _, p := range l.pods {
		errs = append(errs, p.remove(a))
	}
	return errors.Join(errs...)
}

// replace deletes a pod with SIGTERM, and makes a new one.
func (l *lab) replace(p *pod) error {
	if err := p.terminate(); err != nil {
		return err
	}
	for a := range p.has {
		if routed(a) || a == floating[0] || a == floating[1] || a == floating[2] || a == floating[3] {
			if err := p.remove(a); err != nil {
				return err
			}
		}
	}
	return p.start(true)
}

func (l *lab) endFaults() {
	for _, f := range l.VPC.Faults() {
		l.VPC.RemoveFault(f.ID)
	}
	l.VPC.TuneIMDS("", func(i *model.IMDSState) { i.Down, i.Staleness = false, 0 })
	l.VPC.Tune(func(e *topology.EC2) { e.Latency, e.Jitter = 20*time.Millisecond, 5*time.Millisecond })
}

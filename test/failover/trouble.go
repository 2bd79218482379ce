// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"syscall"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// A trouble is what befalls the pair; it returns when no more happens.
type trouble = func(context.Context, *lab) error

func handOver(_ context.Context, l *lab) error {
	l.mark(podA, "hands over")
	return l.a.handOver(true)
}

func reload(_ context.Context, l *lab) error {
	l.mark(podA, "keepalived reloads")
	return l.a.keepalived.Signal(syscall.SIGHUP)
}

// keepalivedKilled leaves the addresses in the kernel until keepalived starts
// again: until then both pods have them.
func keepalivedKilled(down time.Duration) trouble {
	return func(ctx context.Context, l *lab) error {
		l.mark(podA, "keepalived killed")
		l.a.keepalived.Kill()
		pause(ctx, down)
		l.mark(podA, "keepalived started")
		if down > kubeletRestart {
			l.quiet() // b had taken over long before
		}
		return l.a.startKeepalived()
	}
}

func podDeleted(ctx context.Context, l *lab) error {
	l.mark(podA, "deleted")
	return l.a.end(ctx)
}

func workerGone(_ context.Context, l *lab) error {
	l.mark(podA, "worker loses power")
	for _, c := range l.a.all {
		c.Kill() // with its children: they must not notice the end of their parent
	}
	return l.a.Worker().Remove()
}

// flapping hands over to and fro; an even number ends at pod a.
func flapping(times int) trouble {
	const each = 400 * time.Millisecond
	return func(ctx context.Context, l *lab) error {
		from := l.a
		for range times {
			to, began := l.peer(from), time.Now()
			l.mark(from.Name, "hands over")
			l.quiet()
			if err := from.handOver(true); err != nil {
				return err
			}
			first := l.sc.ips.addresses[0]
			err := l.until(ctx, patience, "pod "+to.Name+" takes over", func() bool { return l.inKernel(to, first) })
			if err != nil {
				return err
			}
			if err := from.handOver(false); err != nil {
				return err
			}
			pause(ctx, time.Until(began.Add(each)))
			from = to
		}
		return nil
	}
}

func latency(d time.Duration) func(*lab) {
	return func(l *lab) {
		l.VPC.Tune(func(e *topology.EC2) { e.Latency, e.RemapDelay = d, d/2 })
	}
}

func staleIMDS(by time.Duration) func(*lab) {
	return func(l *lab) { l.VPC.TuneIMDS("", func(s *model.IMDSState) { s.Staleness = by }) }
}

// throttled lets one of ten calls through, of each kind.
func throttled(then trouble) trouble {
	return func(ctx context.Context, l *lab) error {
		l.mark("", "EC2 throttles")
		for _, action := range []string{"Assign*", "Unassign*", "Describe*", "*Route"} {
			l.VPC.Inject(model.Fault{Action: action, Code: model.CodeThrottled, Spare: 10})
		}
		return then(ctx, l)
	}
}

// tableThrottled lets EC2 throttle what changes one route table for a while.
func tableThrottled(table string, lasting time.Duration, then trouble) trouble {
	return func(ctx context.Context, l *lab) error {
		l.mark("", "EC2 throttles "+table)
		l.VPC.Inject(model.Fault{Action: "*Route", RouteTable: table, Code: model.CodeThrottled, For: lasting})
		if err := then(ctx, l); err != nil {
			return err
		}
		pause(ctx, lasting)
		l.mark("", "EC2 throttles no more")
		return nil
	}
}

// down closes EC2's connections for a while.
func down(lasting time.Duration, then trouble) trouble {
	return func(ctx context.Context, l *lab) error {
		l.mark("", "EC2 is down")
		l.VPC.Inject(model.Fault{Drop: model.DropBefore, For: lasting})
		if err := then(ctx, l); err != nil {
			return err
		}
		pause(ctx, lasting)
		l.mark("", "EC2 is back")
		return nil
	}
}

// killAt hands over from pod a to pod b, and kills a registrar at a moment.
func killAt(name string, when func(*lab, *pod) bool) trouble {
	return func(ctx context.Context, l *lab) error {
		p := l.a
		if name == podB {
			p = l.b
		}
		early := when(l, p)
		if early {
			l.mark(p.Name, "sidecar killed")
			p.sidecar.Kill()
		}
		l.quiet()
		if err := handOver(ctx, l); err != nil {
			return err
		}
		if !early {
			if err := l.until(ctx, patience, "the moment to kill the registrar has come", func() bool { return when(l, p) }); err != nil {
				return err
			}
		}
		return p.restartSidecar(ctx)
	}
}

func atStart(*lab, *pod) bool { return true }

func atAppearance(l *lab, p *pod) bool { return l.kernel.has(p.Name, l.sc.ips.addresses[0]) }

func atDisappearance(l *lab, p *pod) bool { return !l.kernel.has(p.Name, l.sc.ips.addresses[0]) }

// atCall is while EC2 has a call of the pod's in hand.
func atCall(actions ...string) func(*lab, *pod) bool {
	return func(l *lab, p *pod) bool { return l.called(p, actions, false) }
}

// atAnswer is when EC2 has answered one.
func atAnswer(actions ...string) func(*lab, *pod) bool {
	return func(l *lab, p *pod) bool { return l.called(p, actions, true) }
}

func (l *lab) called(p *pod, actions []string, done bool) bool {
	for _, c := range l.VPC.Calls(actions...) {
		if c.Worker == p.worker && c.Done == done && !dryRun(c) && c.Time.After(l.began) {
			return true
		}
	}
	return false
}

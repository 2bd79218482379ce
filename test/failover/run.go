// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/traffic"
)

// tries is how often a scenario may run in which keepalived chooses another pod
// than it is to.
const tries = 3

// errTooSoon says that keepalived chose pod b before anything had happened.
var errTooSoon = errors.New("pod a has not kept the floating IPs until the trouble")

// run runs a scenario, and again while keepalived chooses otherwise. What does not
// end as it must is in the Result; an error says that it could not be run.
func run(ctx context.Context, sc scenario, opts options) (r Result, err error) {
	for range tries {
		r, err = runOnce(ctx, sc, opts)
		if !errors.Is(err, errTooSoon) && !r.Otherwise {
			break
		}
	}
	return r, err
}

func runOnce(ctx context.Context, sc scenario, opts options) (r Result, err error) {
	err = inLab(ctx, sc, opts, func(l *lab) error {
		pause(ctx, sc.age)
		if !l.holds(l.a) {
			return errTooSoon
		}
		l.atStart = map[way]string{}
		for _, w := range sc.ips.ways {
			l.atStart[w] = w.holder(l.VPC)
		}
		l.began = time.Now()
		l.quiet()
		if err := sc.trouble(ctx, l); err != nil {
			return err
		}
		wrong := l.settle(ctx)
		traffic.Finish(l.streams)
		r = l.measure()
		r.Wrong, r.Right = wrong, len(wrong) == 0
		r.Otherwise = l.keepalivedHasChosen(l.peer(l.holder()))
		r.Missed = sc.goal.missed(r)
		return ctx.Err()
	})
	if err != nil {
		return r, fmt.Errorf("scenario %s: %w", sc.name, err)
	}
	return r, nil
}

// settle waits until all is as it must be, and then whether it stays so.
func (l *lab) settle(ctx context.Context) (wrong []string) {
	limit, watch := cmp.Or(l.sc.limit, defaultLimit), cmp.Or(l.sc.watch, defaultWatch)
	wrong = l.rights(ctx, limit)
	pause(ctx, watch)
	// What was lost meanwhile is counted; here it matters how it ends.
	for _, w := range l.rights(ctx, defaultWatch) {
		wrong = append(wrong, "at the end: "+w)
	}
	return wrong
}

// rights waits until all is as it must be, and says what is not.
func (l *lab) rights(ctx context.Context, limit time.Duration) (wrong []string) {
	// What the error would say is in wrong.
	_ = l.until(ctx, limit, "", func() bool {
		wrong = l.wrongs()
		return len(wrong) == 0
	})
	return wrong
}

// holder is the pod that must have the addresses in the end.
func (l *lab) holder() *pod {
	if l.sc.holder == podB {
		return l.b
	}
	return l.a
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"context"
	"errors"
	"time"
)

// A request is what every action has in common.
type request struct {
	action string
	// eni and table are the ids that the call names, addrs the addresses and
	// prefixes.
	eni, table string
	addrs      []string
	// unfiltered says that a Describe has neither filter nor pagination.
	unfiltered bool
	dryRun     bool
	// validates says that work refuses a dry run itself, after all that it would
	// refuse a real one for; used where DryRunValidates is assumed.
	validates bool
}

// serve takes a call through everything that happens to one: half of the
// latency, permissions and injected faults, the token bucket, the work (with mu
// held), and the other half. The error is an *Error, ErrDropped or ctx's.
func serve[Out any](ctx context.Context, v *VPC, r request, work func() (Out, *Error)) (out Out, err error) {
	call, hit := v.arrive(ctx, r)
	effective := false
	defer func() { v.answered(call, err, effective) }()

	var none Out
	if err := sleep(ctx, hit.delay/2); err != nil {
		return none, err
	}
	if hit.drop == DropBefore {
		return none, ErrDropped
	}
	out, refused := func() (Out, *Error) {
		v.mu.Lock()
		defer v.mu.Unlock()
		switch {
		case hit.refusal != nil:
			return none, hit.refusal
		case expired(callerOf(ctx).Token, v.now()):
			return none, Refuse(CodeRequestExpired, textExpired)
		case v.knobs.Throttle && !v.take(r):
			return none, Refuse(CodeThrottled, textThrottled)
		case r.dryRun && !(r.validates && v.assume.DryRunValidates):
			return none, errDryRun()
		}
		if v.witness != nil {
			call.Before = v.holders(r)
		}
		o, e := work()
		effective = e == nil
		if effective {
			v.tell(Worked, call)
		}
		return o, e
	}()
	if err := sleep(ctx, hit.delay-hit.delay/2); err != nil {
		return none, err
	}
	switch {
	case hit.drop == DropAfter:
		return none, ErrDropped
	case refused != nil:
		return none, refused
	}
	return out, nil
}

// Reject takes a call that cannot be understood through everything that
// happens to a call, and refuses it.
func (v *VPC) Reject(ctx context.Context, action string, refusal *Error) error {
	_, err := serve(ctx, v, request{action: action}, func() (struct{}, *Error) { return struct{}{}, refusal })
	return err
}

// arrive logs a call and decides what will befall it.
func (v *VPC) arrive(ctx context.Context, r request) (*Call, effect) {
	caller := callerOf(ctx)
	v.mu.Lock()
	defer v.mu.Unlock()
	call := &Call{
		Time: v.now(), Action: r.action, AccessKey: caller.AccessKey, Worker: v.keys[caller.AccessKey],
		ENI: r.eni, RouteTable: r.table, Addresses: r.addrs, Params: caller.Params, DryRun: r.dryRun,
	}
	v.calls = append(v.calls, call)
	v.tell(Arrived, call)
	hit := v.strike(call)
	hit.delay += v.knobs.Latency + v.random(v.knobs.Jitter)
	return call, hit
}

func (v *VPC) answered(call *Call, err error, effective bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	call.Done, call.Effective = true, effective
	call.Duration = v.now().Sub(call.Time)
	defer v.tell(Answered, call)
	if e, ok := errors.AsType[*Error](err); ok {
		call.Code, call.Message = e.Code, e.Message
		return
	}
	switch {
	case errors.Is(err, ErrDropped):
		call.Code, call.Message = CodeDropped, err.Error()
	case err != nil:
		call.Code, call.Message = CodeCanceled, err.Error()
	}
}

// sleep waits for d, or until ctx is done.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

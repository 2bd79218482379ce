// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"time"

	"github.com/aws/smithy-go"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// How long EC2 takes to answer: lognormal, as answers of web services are. Half
// of it passes before the work is done.
const (
	latencyMedian = 100 * time.Millisecond
	latencySigma  = 0.35 // the 99th percentile is 226 ms
)

// logLength is how many calls the model's log may hold; they are counted here.
const logLength = 100_000

// An account is the AWS account that all share: the VPC, its token buckets, and
// what was called.
type account struct {
	engine *engine
	vpc    *model.VPC
	rng    *rand.Rand
	tally  map[string]*tally
	logged int
}

// A tally counts the calls of one action.
type tally struct {
	// Took are the calls that took a token, those that EC2 then refused for
	// another reason among them; Throttled found the bucket empty.
	Took, Throttled int
}

func (a *account) latency() time.Duration {
	return time.Duration(float64(latencyMedian) * math.Exp(latencySigma*a.rng.NormFloat64()))
}

// errOver is the answer to a call that the end of the simulation cut off.
var errOver = errors.New("the simulation is over")

// A sender sends calls: a task, or a goroutine abroad.
type sender interface {
	// send carries out f as a call of an action, and returns when it is answered.
	send(ctx context.Context, a *account, action string, f func(context.Context) error) error
}

// ask sends one call.
func ask[Out any](ctx context.Context, a *account, by sender, action string, call func(context.Context) (Out, error)) (Out, error) {
	var out, none Out
	err := by.send(ctx, a, action, func(ctx context.Context) (err error) {
		out, err = call(ctx)
		return err
	})
	if err != nil {
		return none, apiErrorOf(err)
	}
	return out, nil
}

// send is half of the latency, the model, the other half.
func (t *task) send(_ context.Context, a *account, action string, f func(context.Context) error) error {
	d := t.late
	if t.late = 0; d == 0 {
		d = a.latency()
		if !t.sleep(d / 2) {
			return errOver
		}
	}
	err := f(context.Background())
	a.count(action, err)
	if !t.sleep(d - d/2) {
		return errOver
	}
	return err
}

// A traveller is a goroutine abroad; its name orders what it asks for.
type traveller string

func (name traveller) send(ctx context.Context, a *account, action string, f func(context.Context) error) error {
	answer := make(chan error, 1)
	if !a.engine.abroad.post(post{string(name) + action, func() {
		a.engine.spawn(func(t *task) { answer <- t.send(ctx, a, action, f) })
	}}) {
		return errOver
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-a.engine.abroad.over:
		return errOver
	}
}

func (a *account) count(action string, err error) {
	n := a.of(action)
	if a.logged++; a.logged == logLength {
		a.vpc.ResetCalls()
		a.logged = 0
	}
	if isThrottled(err) {
		n.Throttled++
		return
	}
	n.Took++
}

func (a *account) of(action string) *tally {
	n := a.tally[action]
	if n == nil {
		n = &tally{}
		a.tally[action] = n
	}
	return n
}

func isThrottled(err error) bool {
	var e *model.Error
	return errors.As(err, &e) && e.Code == model.CodeThrottled
}

// An apiError is EC2's refusal as the SDK hands it on.
type apiError struct{ why *model.Error }

var _ smithy.APIError = apiError{}

func apiErrorOf(err error) error {
	var e *model.Error
	if errors.As(err, &e) {
		return apiError{e}
	}
	return err
}

func (e apiError) Error() string        { return e.why.Error() }
func (e apiError) Unwrap() error        { return e.why }
func (e apiError) ErrorCode() string    { return e.why.Code }
func (e apiError) ErrorMessage() string { return e.why.Message }
func (e apiError) HTTPStatusCode() int  { return e.why.HTTPStatus }
func (e apiError) ErrorFault() smithy.ErrorFault {
	if e.why.HTTPStatus >= 500 {
		return smithy.FaultServer
	}
	return smithy.FaultClient
}

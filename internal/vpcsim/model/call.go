// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"context"
	"net/netip"
	"slices"
	"time"
)

// A Caller is who makes a call, as far as the transport knows.
type Caller struct {
	// AccessKey is the access key id that signed the request; "" when it was
	// not signed.
	AccessKey string
	// Token is the session token that came with it, "" where there was none.
	Token string
	// Params are the parameters as they came over the wire.
	Params map[string]string
}

type callerKey struct{}

// WithCaller returns a context whose calls are logged as those of c.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

func callerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// A Call is one line of the log of EC2 calls.
type Call struct {
	// Time is when the call arrived.
	Time time.Time
	// Action is the EC2 action, such as "AssignPrivateIpAddresses".
	Action string
	// AccessKey is the caller's access key id, "" where there was none; Worker
	// is the worker whose instance role has it, "" where none has.
	AccessKey string
	Worker    string
	// ENI is the id of the network interface that the call names, if one.
	ENI string
	// RouteTable is the id of the route table that the call changes, if one.
	RouteTable string
	// Addresses are the addresses and prefixes that the call names.
	Addresses []string
	// Before are the ids of the ENIs that had Addresses just before the work was
	// done, or to which the table's routes led, "" for none. A Witness is told;
	// the log has it where there was one.
	Before []string
	// Params are the parameters as they came over the wire; nil for a call
	// that did not.
	Params map[string]string
	// DryRun says that the call asks whether it may, and changes nothing.
	DryRun bool
	// Done says that the call has been answered; the fields below are empty
	// until then.
	Done bool
	// Code is "" for success, otherwise EC2's error code, CodeDropped or
	// CodeCanceled.
	Code    string
	Message string
	// Effective says that the work was done, whatever the caller was told.
	Effective bool
	Duration  time.Duration
}

// Names says whether the call names the address, alone or as a /32 or /128.
func (c Call) Names(a netip.Addr) bool {
	return slices.Contains(c.Addresses, a.String()) || slices.Contains(c.Addresses, netip.PrefixFrom(a, a.BitLen()).String())
}

// InHand is how much of a time EC2 had at least one of the calls in hand.
func InHand(calls []Call, from, to time.Time) (sum time.Duration) {
	byArrival := slices.SortedFunc(slices.Values(calls), func(a, b Call) int { return a.Time.Compare(b.Time) })
	for _, c := range byArrival {
		end := c.Time.Add(c.Duration)
		if !c.Done || end.After(to) {
			end = to
		}
		begin := c.Time
		if begin.Before(from) {
			begin = from
		}
		if end.After(begin) {
			sum += end.Sub(begin)
			from = end // what overlaps counts once
		}
	}
	return sum
}

// Codes in the log that EC2 never sends.
const (
	// CodeDropped: an injected fault closed the connection.
	CodeDropped = "Dropped"
	// CodeCanceled: the caller went away before the answer.
	CodeCanceled = "Canceled"
)

// Calls are the calls since the start or the last ResetCalls, in the order of
// their arrival; with actions, only those.
func (v *VPC) Calls(actions ...string) []Call {
	v.mu.RLock()
	defer v.mu.RUnlock()
	var out []Call
	for _, c := range v.calls {
		if len(actions) == 0 || matchAny(actions, c.Action) {
			out = append(out, *c)
		}
	}
	return out
}

// ResetCalls empties the log. Calls under way are left out of the new one.
func (v *VPC) ResetCalls() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.calls = nil
}

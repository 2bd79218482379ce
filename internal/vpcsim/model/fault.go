// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Drop says when a connection is closed without an answer.
type Drop string

// The moments of a Drop: before the work is done, or after.
const (
	DropNever  Drop = ""
	DropBefore Drop = "before"
	DropAfter  Drop = "after"
)

// A Fault is what is to befall some calls. Where several match a call their
// delays add up, and the first with a code or a drop decides.
type Fault struct {
	// Action is an EC2 action; "*" and "?" match as in IAM, and "" is all.
	Action string
	// ENI and RouteTable (an id or name), Address (also of a /32 or /128 route),
	// AccessKey and Worker narrow the fault to calls that name the ENI, table or
	// address, or that come from there.
	ENI        string
	RouteTable string
	Address    netip.Addr
	AccessKey  string
	Worker     string

	// Code is the error that is answered instead of doing the work. Message
	// and HTTPStatus are those that EC2 sends with it where they are empty.
	Code       string
	Message    string
	HTTPStatus int
	// Drop closes the connection without an answer.
	Drop Drop
	// Delay is added to the latency.
	Delay time.Duration

	// Count is how many calls the fault befalls, 0 for no limit; For is how
	// long it lasts, 0 until it is removed.
	Count int
	For   time.Duration
	// Spare lets one call of that many go by: with 10 the fault befalls nine
	// calls, then spares one, and so on; 0 spares none.
	Spare int
}

// Validate says what is wrong with a fault that came from outside.
func (f Fault) Validate() error {
	switch {
	case f.Drop != DropNever && f.Drop != DropBefore && f.Drop != DropAfter:
		return fmt.Errorf("drop is %q; write %q or %q", f.Drop, DropBefore, DropAfter)
	case f.Code == "" && f.Drop == DropNever && f.Delay == 0:
		return fmt.Errorf("the fault does nothing; write a code, a drop or a delay")
	case f.Count < 0 || f.For < 0 || f.Delay < 0 || f.Spare < 0:
		return fmt.Errorf("count, for, delay and spare cannot be negative")
	case f.Spare == 1:
		return fmt.Errorf("spare is 1: the fault would befall no call")
	case f.HTTPStatus != 0 && (f.HTTPStatus < 400 || f.HTTPStatus > 599):
		return fmt.Errorf("httpStatus is %d; an error has 400 to 599", f.HTTPStatus)
	}
	return nil
}

// An ActiveFault is a Fault that has been injected.
type ActiveFault struct {
	ID int
	Fault
	// Hits is how many calls it has befallen.
	Hits int
}

type activeFault struct {
	ActiveFault
	until time.Time
	met   int // calls that it matched
}

// spares counts a call that the fault matches, and says whether it goes by.
func (a *activeFault) spares() bool {
	a.met++
	return a.Spare > 0 && a.met%a.Spare == 0
}

// over says that the fault has done what it was to do.
func (a *activeFault) over(now time.Time) bool {
	return a.Count > 0 && a.Hits >= a.Count || !a.until.IsZero() && !now.Before(a.until)
}

// effect is what befalls one call.
type effect struct {
	delay   time.Duration
	drop    Drop
	refusal *Error
}

// Inject makes f befall the calls that arrive from now on, until it is used
// up, its time is over, or remove is called.
func (v *VPC) Inject(f Fault) (remove func()) {
	id := v.AddFault(f)
	return func() { v.RemoveFault(id) }
}

// Deny takes actions ("*" and "?" match) away from the holder of an access
// key, from everybody when it is "", until allow is called.
func (v *VPC) Deny(accessKey string, actions ...string) (allow func()) {
	var removes []func()
	for _, a := range actions {
		removes = append(removes, v.Inject(Fault{Action: a, AccessKey: accessKey, Code: CodeUnauthorized}))
	}
	return func() {
		for _, remove := range removes {
			remove()
		}
	}
}

// AddFault is Inject for those who keep the fault's number.
func (v *VPC) AddFault(f Fault) (id int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.faultID++
	a := &activeFault{ActiveFault: ActiveFault{ID: v.faultID, Fault: f}}
	if f.For > 0 {
		a.until = v.now().Add(f.For)
	}
	v.faults = append(v.faults, a)
	return a.ID
}

// RemoveFault ends the fault with that number; false when there is none.
func (v *VPC) RemoveFault(id int) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := len(v.faults)
	v.faults = slices.DeleteFunc(v.faults, func(a *activeFault) bool { return a.ID == id })
	return len(v.faults) < n
}

// Faults are the faults that are neither used up nor over.
func (v *VPC) Faults() []ActiveFault {
	v.mu.RLock()
	defer v.mu.RUnlock()
	now := v.now()
	out := []ActiveFault{}
	for _, a := range v.faults {
		if !a.over(now) {
			out = append(out, a.ActiveFault)
		}
	}
	return out
}

// strike lets the faults that match a call befall it. It wants mu.
func (v *VPC) strike(c *Call) (e effect) {
	v.faults = slices.DeleteFunc(v.faults, func(a *activeFault) bool { return a.over(c.Time) })
	for _, a := range v.faults {
		decides := a.Code != "" || a.Drop != DropNever
		if !v.befalls(a.Fault, c) || decides && (e.refusal != nil || e.drop != DropNever) {
			continue
		}
		if a.spares() {
			continue
		}
		a.Hits++
		e.delay += a.Delay
		if a.Drop != DropNever {
			e.drop = a.Drop
		}
		if a.Code != "" {
			e.refusal = a.refusal()
		}
	}
	return e
}

func (v *VPC) befalls(f Fault, c *Call) bool {
	return (f.Action == "" || match(f.Action, c.Action)) &&
		(f.ENI == "" || c.ENI != "" && v.refs[f.ENI] == c.ENI) &&
		(f.RouteTable == "" || c.RouteTable != "" && (f.RouteTable == c.RouteTable || f.RouteTable == v.nameOfTable(c.RouteTable))) &&
		(f.AccessKey == "" || f.AccessKey == c.AccessKey) &&
		(f.Worker == "" || f.Worker == c.Worker) &&
		(!f.Address.IsValid() || c.Names(f.Address))
}

// nameOfTable is the topology's name of a route table. It wants mu.
func (v *VPC) nameOfTable(id string) string {
	if t := v.tables[id]; t != nil {
		return t.spec.Name
	}
	return ""
}

// refusal is the error that the fault answers with.
func (f Fault) refusal() *Error {
	e := &Error{Code: f.Code, Message: f.Message, HTTPStatus: f.HTTPStatus}
	if e.HTTPStatus == 0 {
		e.HTTPStatus = StatusOf(e.Code)
	}
	if e.Message == "" {
		switch e.Code {
		case CodeUnauthorized:
			e.Message = textNoPermission
		case CodeThrottled:
			e.Message = textThrottled
		case CodeLimitExceeded:
			e.Message = textLimit
		default:
			e.Message = "Injected fault."
		}
	}
	return e
}

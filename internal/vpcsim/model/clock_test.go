// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// newClockWorld is a VPC that throttles, at the time that now points to.
func newClockWorld(t *testing.T, now *time.Time) *VPC {
	t.Helper()
	topo, err := topology.Parse("world.yaml", []byte(world))
	if err != nil {
		t.Fatal(err)
	}
	topo.EC2.Throttle = true
	v, err := NewWithClock(topo, func() time.Time { return *now })
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestClockOfItsOwn: the buckets fill and the log is dated by the clock that
// was given, and no real time passes.
func TestClockOfItsOwn(t *testing.T) {
	now := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	v := newClockWorld(t, &now)
	drain := func() (n int) {
		for !throttled(assign(v, "sig1", true, "10.0.1.100")) {
			n++
		}
		return n
	}
	first := drain()
	now = now.Add(10 * time.Second)
	if second := drain(); first != 100 || second != 50 {
		t.Errorf("%d calls at once and %d ten seconds later, want 100 and 50", first, second)
	}
	calls := v.Calls()
	if last := calls[len(calls)-1].Time; !last.Equal(now) {
		t.Errorf("the last call is dated %s, want %s", last, now)
	}
}

// TestRefusedCallsCost: clients that call ten times as often as the bucket is
// refilled get all that it refills, or nothing.
func TestRefusedCallsCost(t *testing.T) {
	for _, cost := range []bool{false, true} {
		now := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
		v := newClockWorld(t, &now)
		v.Assume(func(a *topology.Assumptions) { a.RefusedCallsCost = cost })
		for !throttled(assign(v, "sig1", true, "10.0.1.100")) {
		}
		n := 0
		for range 500 {
			now = now.Add(20 * time.Millisecond)
			if !throttled(assign(v, "sig1", true, "10.0.1.100")) {
				n++
			}
		}
		if want := map[bool]int{false: 50, true: 0}[cost]; n < want-1 || n > want {
			t.Errorf("with cost %t %d calls of 500 in 10 s were let through, want %d", cost, n, want)
		}
	}
}

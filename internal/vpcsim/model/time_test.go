// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

func describe(v *VPC, in DescribeInput) error {
	_, err := v.DescribeNetworkInterfaces(context.Background(), in)
	return err
}

// TestBuckets empties each bucket, and counts what a minute refills.
func TestBuckets(t *testing.T) {
	filtered := DescribeInput{Filters: []Filter{{"mac-address", []string{"x"}}}}
	byID := DescribeInput{IDs: []string{id("sig1")}}
	ctx := context.Background()
	tests := []struct {
		name         string
		call         func(*VPC) error
		size, refill int
	}{
		{"AssignPrivateIpAddresses", func(v *VPC) error { return assign(v, "sig1", true, "10.0.1.100") }, 100, 5},
		{"UnassignPrivateIpAddresses", func(v *VPC) error { return unassign(v, "sig1", "10.0.1.100") }, 100, 5},
		{"AssignIpv6Addresses", func(v *VPC) error { return assign6(v, "sig1", "2600:1f14:1:201::100") }, 100, 5},
		{"UnassignIpv6Addresses", func(v *VPC) error { return unassign6(v, "sig1", "2600:1f14:1:201::100") }, 50, 5},
		{"filtered DescribeNetworkInterfaces", func(v *VPC) error { return describe(v, filtered) }, 100, 20},
		{"paginated DescribeNetworkInterfaces", func(v *VPC) error { return describe(v, DescribeInput{MaxResults: 5}) }, 100, 20},
		{"unfiltered DescribeNetworkInterfaces", func(v *VPC) error { return describe(v, DescribeInput{}) }, 50, 10},
		{"DescribeNetworkInterfaces by id", func(v *VPC) error { return describe(v, byID) }, 50, 10},
		{"CreateTags", func(v *VPC) error { return v.CreateTags(ctx, []string{id("sig1")}, map[string]string{"a": "b"}, false) }, 100, 10},
		{"CreateSubnetCidrReservation", func(v *VPC) error {
			_, err := v.CreateSubnetCIDRReservation(ctx, CreateSubnetCIDRReservationInput{})
			return err
		}, 5, 1},
		{"ReplaceRoute", func(v *VPC) error { return v.ReplaceRoute(ctx, RouteInput{}) }, 50, 5},
		{"ModifyNetworkInterfaceAttribute", func(v *VPC) error { return v.SetSourceDestCheck(ctx, id("sig1"), true, false) }, 100, 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newWorld(t)
				v.Tune(func(e *topology.EC2) { e.Throttle = true })
				for range 2 {
					n := 0
					for !throttled(tt.call(v)) {
						n++
					}
					if n != tt.size {
						t.Errorf("%d calls at once, want %d", n, tt.size)
					}
					time.Sleep(time.Second)
					n = 0
					for !throttled(tt.call(v)) {
						n++
					}
					if n != tt.refill {
						t.Errorf("%d calls after a second, want %d", n, tt.refill)
					}
					time.Sleep(time.Minute)
				}
				v.Tune(func(e *topology.EC2) { e.Throttle = false })
				for range tt.size + 1 {
					if throttled(tt.call(v)) {
						t.Fatal("throttled although throttling is off")
					}
				}
			})
		})
	}
}

func throttled(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == "RequestLimitExceeded" && e.HTTPStatus == 503
}

func TestDescribeByIDMayDrawFromTheLargerBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newWorld(t)
		v.Tune(func(e *topology.EC2) { e.Throttle = true })
		v.Assume(func(a *topology.Assumptions) { a.DescribeByIDFiltered = true })
		for range 100 {
			if throttled(describe(v, DescribeInput{IDs: []string{id("sig1")}})) {
				t.Fatal("throttled within the larger bucket")
			}
		}
	})
}

func TestLatencyAndJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newWorld(t)
		v.Tune(func(e *topology.EC2) { e.Latency, e.Jitter = 100*time.Millisecond, 50*time.Millisecond })
		seen := map[time.Duration]bool{}
		for range 20 {
			if err := describe(v, DescribeInput{}); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range v.Calls() {
			seen[c.Duration] = true
			if c.Duration < 100*time.Millisecond || c.Duration >= 150*time.Millisecond {
				t.Errorf("a call took %s, want 100 to 150 ms", c.Duration)
			}
		}
		if len(seen) < 10 {
			t.Errorf("jitter gave only %d durations", len(seen))
		}
	})
}

func TestRemapLagsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newWorld(t)
		v.Tune(func(e *topology.EC2) { e.RemapDelay = 50 * time.Millisecond })
		moved, fresh := ip("10.0.1.50"), ip("10.0.1.100")
		wantRefusal(t, assign(v, "sig1", true, "10.0.1.50", "10.0.1.100"), "")
		if e, _ := v.Owner(moved); e.Name != "sig1" {
			t.Fatalf("the control plane lags behind: %s", e.Name)
		}
		time.Sleep(49 * time.Millisecond)
		if got, ok := v.Deliver("node1", moved); !ok || got != id("sig2") {
			t.Errorf("until then the old owner has it, got %s", got)
		}
		if _, ok := v.Deliver("node1", fresh); ok || v.Permits("sig1", fresh) || !v.Permits("sig2", moved) {
			t.Error("the data plane ran ahead")
		}
		time.Sleep(time.Millisecond)
		if got, ok := v.Deliver("node1", moved); !ok || got != id("sig1") {
			t.Errorf("the data plane did not follow: %s", got)
		}
		if !v.Permits("sig1", fresh) || v.Permits("sig2", moved) {
			t.Error("the source check did not follow")
		}
		wantRefusal(t, unassign(v, "sig1", "10.0.1.50"), "")
		time.Sleep(49 * time.Millisecond)
		if _, ok := v.Deliver("node1", moved); !ok {
			t.Error("unassigned too early")
		}
		time.Sleep(time.Millisecond)
		if _, ok := v.Deliver("node1", moved); ok {
			t.Error("unassigned, but still delivered")
		}
	})
}

func TestRemapNeverOvertakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newWorld(t)
		v.Tune(func(e *topology.EC2) { e.RemapDelay = time.Second })
		wantRefusal(t, assign(v, "sig1", true, "10.0.1.100"), "")
		v.Tune(func(e *topology.EC2) { e.RemapDelay = 0 })
		wantRefusal(t, assign(v, "sig2", true, "10.0.1.100"), "")
		time.Sleep(2 * time.Second)
		if got, _ := v.Deliver("node1", ip("10.0.1.100")); got != id("sig2") {
			t.Error("the earlier change won")
		}
	})
}

func TestIMDSLooksBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newWorld(t)
		v.TuneIMDS("worker1", func(s *IMDSState) { s.Staleness = 30 * time.Second })
		has := func(addr string) bool {
			i, err := v.Instance("worker1")
			if err != nil {
				t.Fatal(err)
			}
			return slices.Contains(i.Interfaces[1].IPv4, ip(addr))
		}
		time.Sleep(time.Hour)
		wantRefusal(t, assign(v, "sig1", true, "10.0.1.50"), "")
		time.Sleep(29 * time.Second)
		if has("10.0.1.50") {
			t.Error("shown before its time")
		}
		time.Sleep(time.Second)
		if !has("10.0.1.50") {
			t.Error("not shown after the staleness")
		}
		wantRefusal(t, unassign(v, "sig1", "10.0.1.50"), "")
		time.Sleep(29 * time.Second)
		if !has("10.0.1.50") {
			t.Error("an unassign shows too early")
		}
		time.Sleep(time.Second)
		if has("10.0.1.50") {
			t.Error("an unassign does not show")
		}
		if v.TuneIMDS("nobody", func(*IMDSState) {}) {
			t.Error("there is no such worker")
		}
	})
}

func TestTimeline(t *testing.T) {
	var l timeline[int]
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	if l.at(at(1)) != 0 {
		t.Error("an empty timeline has a value")
	}
	l.set(at(10), 1, at(0))
	l.set(at(20), 2, at(0))
	l.set(at(15), 3, at(0)) // overtakes nothing
	for when, want := range map[int]int{5: 1, 10: 1, 19: 1, 20: 3, 30: 3} {
		if got := l.at(at(when)); got != want {
			t.Errorf("at %d it is %d, want %d", when, got, want)
		}
	}
	l.set(at(40), 4, at(30))
	if len(l.changes) != 2 || l.at(at(30)) != 3 {
		t.Errorf("the past was not dropped, or too much of it: %v", l.changes)
	}
}

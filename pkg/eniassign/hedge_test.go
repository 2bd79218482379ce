// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// TestHandOverWithAnySpeedOfEC2: the new holder's assign reaches EC2 5 ms before
// the old holder's unassign. However slow EC2 is, that costs no second round.
func TestHandOverWithAnySpeedOfEC2(t *testing.T) {
	tests := map[string]struct {
		latency time.Duration
		late    time.Duration // how much later than the assign the old holder lets go
		gap     time.Duration
		calls   string // of both
	}{
		"100 ms": {latency: 100 * ms, late: 5 * ms, gap: 153 * ms,
			calls: assign6 + " " + look + " " + unassign6 + " " + unassign6 + " " + assign6 + " " + assign6},
		"3 s": {latency: 3 * time.Second, late: 5 * ms, gap: 1750 * ms,
			calls: assign6 + " " + look + " " + unassign6 + " " + assign6 + " " + assign6},
		"3 s, half a second late": {latency: 3 * time.Second, late: 500 * ms, gap: 2250 * ms,
			calls: assign6 + " " + look + " " + assign6 + " " + unassign6 + " " + assign6 + " " + unassign6 + " " + assign6 + " " + assign6},
		// The look-up tells at 3 s, the second assign is waited for until 3.3 s.
		"3 s, not at all": {latency: 3 * time.Second, late: time.Minute, gap: 4803 * ms,
			calls: assign6 + " " + look + " " + assign6 + " " + assign6 + " " + unassign6 + " " + assign6 + " " + assign6},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, c := newSim(t)
				v.Tune(func(e *topology.EC2) { e.Latency = tt.latency })
				call := claim6(held6)
				at := arrived(v, call.Addrs)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() {
					select {
					case <-time.After(tt.late):
						_, _ = v.UnassignIPv6Addresses(ctx, model.UnassignIPv6AddressesInput{NetworkInterfaceID: eniID("sig2"), Addresses: call.Addrs})
					case <-ctx.Done():
					}
				}()
				if o := c.Do(t.Context(), call)[0]; o.Reason != nil {
					t.Error(o.Reason)
				}
				if gap := <-at; gap < tt.gap || gap > tt.gap+2*ms {
					t.Errorf("on our ENI after %v, want %v", gap, tt.gap)
				}
				if got := actions(v); got != tt.calls {
					t.Errorf("requests\n got %s\nwant %s", got, tt.calls)
				}
			})
		})
	}
}

// TestLookUpIsActedOnAtOnce: an assign that hangs holds nothing up once the
// look-up tells who has the address, nor does its answer once it is moved.
func TestLookUpIsActedOnAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c := newSim(t)
		v.Tune(func(e *topology.EC2) { e.Latency = 100 * ms })
		v.Inject(model.Fault{Action: assign6, Delay: 10 * time.Second, Count: 1})
		start := time.Now()
		if o := c.Do(t.Context(), claim6(held6))[0]; o.Reason != nil {
			t.Error(o.Reason)
		}
		if took := time.Since(start); took > 300*ms {
			t.Errorf("took %v: %s", took, actions(v))
		}
	})
}

// TestHedgeIsBounded: while EC2 answers nothing, two more assigns leave and no third.
func TestHedgeIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c := newSim(t)
		v.Tune(func(e *topology.EC2) { e.Latency = 12 * time.Second })
		if o := c.Do(t.Context(), claim6(free6))[0]; o.Reason != nil {
			t.Error(o.Reason)
		}
		if want := assign6 + " " + look + " " + assign6 + " " + assign6; actions(v) != want {
			t.Errorf("requests\n got %s\nwant %s", actions(v), want)
		}
	})
}

// TestHedgeThatWinsLate: the first assign is refused for good, the second one is
// under way and brings the address here: then it is here, whatever was refused.
func TestHedgeThatWinsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c := newSim(t)
		v.Inject(model.Fault{Action: assign6, Code: model.CodeUnauthorized, Delay: 300 * ms, Count: 1})
		v.Inject(model.Fault{Action: assign6, Delay: 300 * ms})
		o := c.Do(t.Context(), claim6(free6))[0]
		if e, _ := v.Owner(ip(free6)); o.Reason != nil || e.Name != "sig1" {
			t.Errorf("got %+v, it is on %q", o, e.Name)
		}
	})
}

// TestAnswerInTheGraceCounts: nobody waits for the first assign any more when it
// is answered, but it is not cancelled yet: what EC2 says then is known. Else the
// address would be claimed again, from whoever takes it meanwhile (law 4).
func TestAnswerInTheGraceCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c := newSim(t)
		v.Inject(model.Fault{Action: assign6, Delay: 1075 * ms, Count: 1})
		// The second one leaves at 250 ms. The first has 800 ms more, and the grace.
		time.AfterFunc(100*ms, func() { v.Inject(model.Fault{Action: assign6, Code: "RequestLimitExceeded", Count: 1}) })
		o := c.Do(t.Context(), claim6(free6))[0]
		if e, _ := v.Owner(ip(free6)); o.Reason != nil || o.InDoubt || e.Name != "sig1" {
			t.Errorf("got %+v, it is on %q", o, e.Name)
		}
	})
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// TestStop: whenever a claim is stopped, no unassign begins after that, what
// was taken is assigned or given back, and what it says is true.
func TestStop(t *testing.T) {
	calm := claim6(held6)
	calm.Urgent = false
	for name, call := range map[string]eniassign.Call{
		"not urgent": calm, "looked up": claim6(held6), "remembered": claim6(held6, held6, "sig2"),
		"wrong owner remembered": claim6(held6, held6, "node2"), "free": claim6(free6),
		"two": claim6(held6+" "+held6b, held6, "sig2"),
	} {
		for _, latency := range []time.Duration{100 * ms, 300 * ms, 3 * time.Second} {
			for step := range 50 {
				// Not at the same moment as a request.
				after := time.Duration(step)*latency/10 + time.Millisecond/2
				synctest.Test(t, func(t *testing.T) {
					v, c := newSim(t)
					v.Tune(func(e *topology.EC2) { e.Latency = latency })
					stop, start := make(chan struct{}), time.Now()
					call := call
					call.Stop = stop
					time.AfterFunc(after, func() { close(stop) })
					outcomes := c.Do(t.Context(), call)
					took := time.Since(start)
					time.Sleep(time.Minute)
					for _, o := range outcomes {
						e, held := v.Owner(o.Addr)
						switch {
						case !held && o.Addr != ip(free6):
							t.Errorf("%s, EC2 at %v, stopped after %v: %s is nobody's: %v", name, latency, after, o.Addr, o.Reason)
						case (o.Reason == nil) != (e.Name == "sig1") && !o.InDoubt:
							t.Errorf("%s, EC2 at %v, stopped after %v: %s is on %q and told is %v", name, latency, after, o.Addr, e.Name, o.Reason)
						case o.Reason != nil && o.Reason.Class != eniassign.Transient:
							t.Errorf("%s, EC2 at %v, stopped after %v: %s %v", name, latency, after, o.Reason.Class, o.Reason)
						}
					}
					for _, call := range v.Calls(unassign6) {
						if call.Time.Sub(start) > after {
							t.Errorf("%s, EC2 at %v, stopped after %v: an unassign after %v", name, latency, after, call.Time.Sub(start))
						}
					}
					if took > after+3*latency+time.Second {
						t.Errorf("%s, EC2 at %v, stopped after %v: took %v", name, latency, after, took)
					}
				})
			}
		}
	}
}

// TestStopBeforeTheFirstRequest: nothing is sent; a release knows no stop.
func TestStopBeforeTheFirstRequest(t *testing.T) {
	stop := make(chan struct{})
	close(stop)
	for _, verb := range []eniassign.Verb{eniassign.Claim, eniassign.Hold, eniassign.Release} {
		synctest.Test(t, func(t *testing.T) {
			v, c := newSim(t)
			call := claim6(held6)
			call.Verb, call.Stop = verb, stop
			if verb == eniassign.Release {
				call.ENI = eniID("sig2")
			}
			o := c.Do(t.Context(), call)[0]
			if verb == eniassign.Release {
				if o.Reason != nil || len(v.Calls()) != 1 {
					t.Errorf("release: %+v after %s", o, actions(v))
				}
				return
			}
			if o.Reason == nil || o.Reason.Code != eniassign.RequestCanceled || o.Reason.Class != eniassign.Transient || o.InDoubt || len(v.Calls()) != 0 {
				t.Errorf("verb %d: %+v after %s", verb, o, actions(v))
			}
		})
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

var mainTable = topology.DeriveID("rtb", topology.MainRouteTable)

func routeCall(verb eniassign.Verb, eni, a string) eniassign.Call {
	family := eniassign.IPv4
	if ip(a).Is6() {
		family = eniassign.IPv6
	}
	return eniassign.Call{Verb: verb, ENI: eniID(eni), Family: family, Table: mainTable, Addrs: []netip.Addr{ip(a)}}
}

// leads is where the VPC takes a packet from another worker to a.
func leads(v *model.VPC, a string) string {
	eni, _ := v.Deliver("node2", ip(a))
	for _, e := range v.ENIs() {
		if e.ID == eni {
			return e.Name
		}
	}
	return ""
}

// TestFloatingRoute: a floating IP outside of the VPC, from its first claim to
// its last release, over the real SDK.
func TestFloatingRoute(t *testing.T) {
	for _, a := range []string{"198.51.100.7", "2001:db8:ffff::7"} {
		t.Run(a, func(t *testing.T) {
			v, c := newSim(t)
			ctx := t.Context()
			do := func(verb eniassign.Verb, eni, want string) {
				t.Helper()
				o := c.Do(ctx, routeCall(verb, eni, a))[0]
				if got := ""; o.Reason != nil {
					if got = string(o.Reason.Code); got != want {
						t.Errorf("got %v, want %q", o.Reason, want)
					}
				} else if want != "" {
					t.Errorf("done, want %q", want)
				}
			}
			enis, err := c.Describe(ctx, []string{eniID("sig1")})
			if err != nil || enis[0].SourceDestCheck == nil || !*enis[0].SourceDestCheck {
				t.Fatalf("got %+v, %v", enis, err)
			}
			refused := routeCall(eniassign.Claim, "sig1", a)
			refused.About = enis[0]
			if why := c.Do(ctx, refused)[0].Reason; why == nil || why.Code != eniassign.SourceDestCheckOn ||
				!strings.Contains(why.Cure, "--network-interface-id "+eniID("sig1")+" --no-source-dest-check") || len(v.Calls("*Route")) != 0 {
				t.Errorf("got %v after %s", why, actions(v))
			}
			for _, e := range []string{"sig1", "sig2"} {
				if err := v.SetSourceDestCheck(ctx, eniID(e), false, false); err != nil {
					t.Fatal(err)
				}
			}
			if enis, err = c.Describe(ctx, []string{eniID("sig1")}); err != nil || *enis[0].SourceDestCheck {
				t.Errorf("got %+v, %v", enis, err)
			}
			do(eniassign.Claim, "sig1", "") // created
			do(eniassign.Claim, "sig2", "") // replaced
			do(eniassign.Hold, "sig1", "AddressContested")
			do(eniassign.Release, "sig1", "")
			if got := leads(v, a); got != "sig2" {
				t.Errorf("leads to %q, want sig2", got)
			}
			v.DeleteENI("sig2")
			routes, err := c.Routes(ctx, []string{mainTable}, []netip.Addr{ip(a), ip("198.51.100.8")})
			if err != nil || len(routes) != 2 || !routes[0].Blackhole || routes[0].ENI != eniID("sig2") || routes[1] != (eniassign.Route{Table: mainTable, Addr: ip("198.51.100.8")}) {
				t.Errorf("got %+v, %v", routes, err)
			}
			do(eniassign.Hold, "sig1", "")
			if got := leads(v, a); got != "sig1" {
				t.Errorf("leads to %q, want sig1", got)
			}
			do(eniassign.Hold, "sig2", "AddressContested")
			do(eniassign.Claim, "sig2", "ENINotFound")
			do(eniassign.Release, "sig1", "")
			do(eniassign.Release, "sig1", "")
			if got := leads(v, a); got != "" {
				t.Errorf("leads to %q, want nowhere", got)
			}
		})
	}
}

// TestProbeRouteInSim: whether a dry run validates or not, a missing right is
// found and named, and nothing is changed.
func TestProbeRouteInSim(t *testing.T) {
	for _, validates := range []bool{false, true} {
		for _, there := range []bool{false, true} {
			v, c := newSim(t)
			v.Assume(func(a *topology.Assumptions) { a.DryRunValidates = validates })
			call := routeCall(eniassign.Claim, "sig1", "198.51.100.7")
			if there {
				if o := c.Do(t.Context(), routeCall(eniassign.Claim, "sig2", "198.51.100.7")); o[0].Reason != nil {
					t.Fatal(o[0].Reason)
				}
			}
			before, _ := c.Routes(t.Context(), []string{mainTable}, call.Addrs)
			if why := c.ProbeRoute(t.Context(), call); why != nil {
				t.Errorf("validates %v, there %v: %v", validates, there, why)
			}
			remove := v.Inject(model.Fault{Action: "DeleteRoute", Code: model.CodeUnauthorized})
			why := c.ProbeRoute(t.Context(), call)
			if why == nil || why.Code != eniassign.NotAuthorized || !strings.Contains(why.Cure, "Allow ec2:DeleteRoute on "+mainTable) {
				t.Errorf("validates %v, there %v: %v", validates, there, why)
			}
			remove()
			if after, _ := c.Routes(t.Context(), []string{mainTable}, call.Addrs); after[0] != before[0] {
				t.Errorf("changed from %+v to %+v", before, after)
			}
			call.Table = "rtb-0"
			if why := c.ProbeRoute(t.Context(), call); validates && (why == nil || why.Code != eniassign.RouteTableNotFound) {
				t.Errorf("validates %v, there %v: %v", validates, there, why)
			}
		}
	}
}

// TestRouteUnderFaults: what is called done is done, a release touches our own
// route alone, and a Hold never takes a live one.
func TestRouteUnderFaults(t *testing.T) {
	outer := t
	rapid.Check(t, func(rt *rapid.T) {
		synctest.Test(outer, func(*testing.T) {
			v, c := newSim(rt)
			v.Assume(func(a *topology.Assumptions) {
				a.BlackholeNamesNoENI = rapid.Bool().Draw(rt, "black hole names no ENI")
				a.ReplaceMissingRouteCode = rapid.SampledFrom([]string{"", "InvalidRoute.NotFound", "Odd"}).Draw(rt, "missing")
			})
			const a = "198.51.100.7"
			owner := rapid.SampledFrom([]string{"", "sig1", "sig2", "node2"}).Draw(rt, "owner")
			if owner != "" {
				c.Do(context.Background(), routeCall(eniassign.Claim, owner, a))
			}
			dead := rapid.Bool().Draw(rt, "dead")
			if dead && owner == "node2" {
				v.DeleteENI("node2")
			} else {
				dead = false
			}
			v.ResetCalls()
			v.Tune(func(e *topology.EC2) { e.Latency, e.Jitter = 50*ms, 50*ms })
			for range rapid.IntRange(0, 2).Draw(rt, "faults") {
				f := drawFault(rt, "ReplaceRoute", "CreateRoute", "DeleteRoute", "DescribeRouteTables")
				f.Count = 1
				v.Inject(f)
			}
			verb := rapid.SampledFrom([]eniassign.Verb{eniassign.Claim, eniassign.Hold, eniassign.Release}).Draw(rt, "verb")
			o := c.Do(context.Background(), routeCall(verb, "sig1", a))[0]
			at, err := c.Routes(context.Background(), []string{mainTable}, []netip.Addr{ip(a)})
			for err != nil { // a fault was left
				at, err = c.Routes(context.Background(), []string{mainTable}, []netip.Addr{ip(a)})
			}
			ours := at[0].ENI == eniID("sig1")
			switch {
			case o.Reason == nil && verb != eniassign.Release && !ours:
				rt.Fatalf("called done, and it leads to %+v", at[0])
			case o.Reason != nil && !o.InDoubt && verb != eniassign.Release && ours && owner != "sig1":
				rt.Fatalf("it leads here, and nobody is told: %+v", o.Reason)
			case o.Reason == nil && verb == eniassign.Release && ours:
				rt.Fatalf("called released")
			case verb == eniassign.Hold && owner != "" && owner != "sig1" && !dead && (ours || o.Reason == nil):
				rt.Fatalf("a hold took the route of %s", owner)
			case verb == eniassign.Release && owner != "" && owner != "sig1" && !dead && at[0].ENI != eniID(owner):
				rt.Fatalf("a release took the route of %s", owner)
			case verb == eniassign.Release && owner != "sig1" && len(v.Calls("DeleteRoute")) > 0:
				rt.Fatalf("deleted what was not ours: %s", actions(v))
			}
			if n := len(v.Calls("*Route")); n > 6 {
				rt.Fatalf("%d requests: %s", n, actions(v))
			}
		})
	})
}

// TestRouteGap: a claim is one request, and done when EC2 has done it.
func TestRouteGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c := newSim(t)
		c.Do(t.Context(), routeCall(eniassign.Claim, "sig2", "198.51.100.7"))
		_ = v.SetSourceDestCheck(t.Context(), eniID("sig1"), false, false)
		v.Tune(func(e *topology.EC2) { e.Latency = 100 * ms })
		v.ResetCalls()
		start := time.Now()
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.Do(context.Background(), routeCall(eniassign.Claim, "sig1", "198.51.100.7"))
		}()
		time.Sleep(51 * ms)
		if got := leads(v, "198.51.100.7"); got != "sig1" {
			t.Errorf("leads to %q after %v", got, time.Since(start))
		}
		<-done
		if got := actions(v); got != "ReplaceRoute" || time.Since(start) != 100*ms {
			t.Errorf("%s in %v", got, time.Since(start))
		}
	})
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign_test

import (
	"cmp"
	"context"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"pgregory.net/rapid"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/ec2api"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

const ms = time.Millisecond

// held6 is held by sig2, free6 by nobody.
const (
	held6, held6b = "2600:1f14:1:201::50", "2600:1f14:1:201::51"
	free6         = "2600:1f14:1:201::100"
)

// claim6 is an urgent claim for sig1 whose VPC is known; owners are pairs of
// address and ENI name.
func claim6(addrs string, owners ...string) eniassign.Call {
	c := eniassign.Call{
		Verb: eniassign.Claim, ENI: eniID("sig1"), Family: eniassign.IPv6, Urgent: true,
		About: eniassign.ENI{ID: eniID("sig1"), VPCID: topology.DeriveID("vpc", "vpc")},
	}
	for _, a := range strings.Fields(addrs) {
		c.Addrs = append(c.Addrs, ip(a))
	}
	for i := 0; i < len(owners); i += 2 {
		if c.Owners == nil {
			c.Owners = map[netip.Addr]string{}
		}
		c.Owners[ip(owners[i])] = eniID(owners[i+1])
	}
	return c
}

// arrived is how long it takes from now until the addresses are on sig1.
func arrived(v *model.VPC, addrs []netip.Addr) <-chan time.Duration {
	start, at := time.Now(), make(chan time.Duration, 1)
	go func() {
		defer close(at)
		for time.Since(start) < 20*time.Second {
			if !slices.ContainsFunc(addrs, func(a netip.Addr) bool { e, _ := v.Owner(a); return e.Name != "sig1" }) {
				at <- time.Since(start)
				return
			}
			time.Sleep(ms)
		}
	}()
	return at
}

// actions are the requests in the order in which they came; those that came in
// the same moment are sorted, since they left at once.
func actions(v *model.VPC) string {
	calls := v.Calls()
	slices.SortStableFunc(calls, func(a, b model.Call) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Action, b.Action)) })
	var names []string
	for _, c := range calls {
		names = append(names, c.Action)
	}
	return strings.Join(names, " ")
}

const (
	assign6   = "AssignIpv6Addresses"
	unassign6 = "UnassignIpv6Addresses"
	look      = "DescribeNetworkInterfaces"
)

// TestIPv6Gap: how long after Do an address is on our ENI, and what it costs,
// with EC2 taking 100 ms, half of it before the work is done.
func TestIPv6Gap(t *testing.T) {
	calm := func(c eniassign.Call) eniassign.Call { c.Urgent = false; return c }
	tests := map[string]struct {
		call  eniassign.Call
		let   time.Duration // sig2 lets go by itself at that time
		gap   time.Duration
		calls string
	}{
		"free, not urgent":                 {call: calm(claim6(free6)), gap: 50 * ms, calls: assign6},
		"free":                             {call: claim6(free6), gap: 50 * ms, calls: assign6 + " " + look},
		"held, not urgent":                 {call: calm(claim6(held6, held6, "sig2")), gap: 350 * ms, calls: assign6 + " " + look + " " + unassign6 + " " + assign6},
		"held, owner not remembered":       {call: claim6(held6), gap: 153 * ms, calls: assign6 + " " + look + " " + unassign6 + " " + assign6 + " " + assign6},
		"held, owner remembered":           {call: claim6(held6, held6, "sig2"), gap: 53 * ms, calls: unassign6 + " " + assign6 + " " + assign6},
		"held, wrong owner remembered":     {call: claim6(held6, held6, "node2"), gap: 256 * ms, calls: unassign6 + " " + assign6 + " " + assign6 + " " + look + " " + unassign6 + " " + assign6 + " " + assign6},
		"free, owner remembered":           {call: claim6(free6, free6, "sig2"), gap: 53 * ms, calls: unassign6 + " " + assign6 + " " + assign6},
		"free, own ENI remembered":         {call: claim6(free6, free6, "sig1"), gap: 50 * ms, calls: assign6 + " " + look},
		"let go meanwhile, not remembered": {call: claim6(held6), let: 75 * ms, gap: 153 * ms},
		"let go meanwhile, remembered":     {call: claim6(held6, held6, "sig2"), let: 10 * ms, gap: 53 * ms},
		"two, one of them remembered":      {call: claim6(held6+" "+held6b, held6, "sig2"), gap: 153 * ms},
		"two and a free one":               {call: claim6(held6+" "+held6b+" "+free6, held6, "sig2", held6b, "sig2"), gap: 53 * ms},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, c := newSim(t)
				v.Tune(func(e *topology.EC2) { e.Latency = 100 * ms })
				at := arrived(v, tt.call.Addrs)
				if tt.let > 0 {
					go func() {
						time.Sleep(tt.let - 50*ms)
						_, _ = v.UnassignIPv6Addresses(context.Background(), model.UnassignIPv6AddressesInput{NetworkInterfaceID: eniID("sig2"), Addresses: tt.call.Addrs})
					}()
				}
				for _, o := range c.Do(t.Context(), tt.call) {
					if o.Reason != nil {
						t.Errorf("%s: %v", o.Addr, o.Reason)
					}
				}
				// arrived looks every millisecond.
				if gap := <-at; gap < tt.gap || gap > tt.gap+2*ms {
					t.Errorf("on our ENI after %v, want %v", gap, tt.gap)
				}
				if got := actions(v); tt.calls != "" && got != tt.calls {
					t.Errorf("requests\n got %s\nwant %s", got, tt.calls)
				}
			})
		})
	}
}

// TestUrgentMoveInDetail: what can go wrong between an unassign and its assign.
func TestUrgentMoveInDetail(t *testing.T) {
	const ok, sig1, sig2 = "", "sig1", "sig2"
	fill := func(v *model.VPC) { // sig1 may have 8
		_, _ = v.AssignIPv6Addresses(context.Background(), model.AssignIPv6AddressesInput{NetworkInterfaceID: eniID("sig1"), Count: 7})
	}
	fault := func(faults ...model.Fault) func(*model.VPC) {
		return func(v *model.VPC) {
			for _, f := range faults {
				v.Inject(f)
			}
		}
	}
	tests := map[string]struct {
		call eniassign.Call
		vpc  func(*model.VPC)
		want eniassign.Code
		// holds is who has held6 in the end, "" nobody.
		holds string
		// most is how long Do may take.
		most time.Duration
	}{
		"a full ENI gives back":                       {claim6(held6, held6, "sig2"), fill, eniassign.ENIFull, sig2, 500 * ms},
		"a full ENI gives back to an owner looked up": {claim6(held6), fill, eniassign.ENIFull, sig2, 600 * ms},
		"no right to assign: given back": {claim6(held6, held6, "sig2"),
			fault(model.Fault{Action: assign6, ENI: "sig1", Code: model.CodeUnauthorized}), eniassign.NotAuthorized, sig2, 300 * ms},
		"no right to unassign: nothing is lost": {claim6(held6, held6, "sig2"),
			fault(model.Fault{Action: unassign6, Code: model.CodeUnauthorized}), eniassign.NotAuthorized, sig2, 200 * ms},
		"the unassign is throttled": {claim6(held6, held6, "sig2"),
			fault(model.Fault{Action: unassign6, Code: model.CodeThrottled}), eniassign.EC2Throttled, sig2, 200 * ms},
		"the assigns are throttled: the next Do goes on": {claim6(held6, held6, "sig2"),
			fault(model.Fault{Action: assign6, Code: model.CodeThrottled}), eniassign.EC2Throttled, "", 200 * ms},
		"the first assign is throttled, the second is not": {claim6(held6, held6, "sig2"),
			fault(model.Fault{Action: assign6, Code: model.CodeThrottled, Count: 1}), ok, sig1, 200 * ms},
		"the answer to the unassign is lost": {claim6(held6, held6, "sig2"),
			fault(model.Fault{Action: unassign6, Drop: model.DropAfter}), ok, sig1, 200 * ms},
		"the unassign is lost": {claim6(held6, held6, "sig2"),
			fault(model.Fault{Action: unassign6, Drop: model.DropBefore}), eniassign.EC2NoAnswer, sig2, 300 * ms},
		"the answer to the first assign is lost": {claim6(held6, held6, "sig2"),
			fault(model.Fault{Action: assign6, Drop: model.DropAfter, Count: 1}), ok, sig1, 200 * ms},
		"the unassign is slow: the assigns overtake it": {claim6(held6, held6, "sig2"),
			fault(model.Fault{Action: unassign6, Delay: 200 * ms}), ok, sig1, 500 * ms},
		"the answer to the second assign is never waited for": {claim6(held6, held6, "sig2"), func(v *model.VPC) {
			go func() {
				time.Sleep(20 * ms)
				v.Inject(model.Fault{Action: assign6, Delay: time.Minute})
			}()
		}, ok, sig1, 160 * ms},
		"the look-up hangs and the address is free": {claim6(free6),
			fault(model.Fault{Action: look, Delay: time.Minute}), ok, sig2, 160 * ms},
		"the look-up is denied": {claim6(held6),
			fault(model.Fault{Action: look, Code: model.CodeUnauthorized}), eniassign.AddressContested, sig2, 400 * ms},
		"the primary of another ENI": {claim6("2600:1f14:1:201::12"), nil, eniassign.AddressIsPrimary, sig2, 200 * ms},
		"the primary of a remembered ENI": {claim6("2600:1f14:1:201::12", "2600:1f14:1:201::12", "sig2"), nil,
			eniassign.AddressIsPrimary, sig2, 400 * ms},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, c := newSim(t)
				if tt.vpc != nil {
					tt.vpc(v)
				}
				v.Tune(func(e *topology.EC2) { e.Latency = 100 * ms })
				start := time.Now()
				o := c.Do(t.Context(), tt.call)[0]
				took := time.Since(start)
				switch {
				case tt.want == ok && o.Reason != nil, tt.want != ok && (o.Reason == nil || o.Reason.Code != tt.want):
					t.Errorf("got %+v, want %q", o.Reason, tt.want)
				case o.Reason != nil && tt.want == eniassign.ENIFull && !strings.Contains(o.Reason.Text, "given back"):
					t.Errorf("says nothing of the way back: %s", o.Reason)
				}
				if e, _ := v.Owner(ip(held6)); e.Name != tt.holds {
					t.Errorf("%s is on %q, want %q", held6, e.Name, tt.holds)
				}
				if nobodys := tt.holds == ""; o.Freed != nobodys {
					t.Errorf("freed %v, want %v", o.Freed, nobodys)
				}
				if took > tt.most {
					t.Errorf("took %v, want at most %v", took, tt.most)
				}
				if n := len(v.Calls()); n > 12 {
					t.Errorf("%d requests: %s", n, actions(v))
				}
			})
		})
	}
}

// TestPrimaryIsNeverAskedAway: neither where the look-up tells that it is one,
// nor at the cost of the others where a remembered owner refuses it.
func TestPrimaryIsNeverAskedAway(t *testing.T) {
	const primary = "2600:1f14:1:201::12"
	synctest.Test(t, func(t *testing.T) {
		v, c := newSim(t)
		o := c.Do(t.Context(), claim6(primary))[0]
		if o.Reason == nil || o.Reason.Code != eniassign.AddressIsPrimary || o.Reason.Owner != eniID("sig2") || len(v.Calls(unassign6)) != 0 {
			t.Errorf("got %+v after %s", o.Reason, actions(v))
		}
		v.ResetCalls()
		for _, o := range c.Do(t.Context(), claim6(primary+" "+held6+" "+free6, primary, "sig2", held6, "sig2", free6, "sig2")) {
			if bad := o.Addr == ip(primary); bad != (o.Reason != nil) || bad && o.Reason.Code != eniassign.AddressIsPrimary {
				t.Errorf("%s: %+v", o.Addr, o.Reason)
			}
		}
	})
}

// TestFirstAssignWinsAfterAll: the look-up was quicker than the assign beside it,
// and the owner that it found let go before that assign was done. Then nothing
// else is waited for, whatever EC2 says to an assign of what is there already.
func TestFirstAssignWinsAfterAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c := newSim(t)
		v.Assume(func(a *topology.Assumptions) { a.IPv6SameENIRefused = true })
		go func() {
			time.Sleep(60 * ms)
			_, _ = v.UnassignIPv6Addresses(context.Background(), model.UnassignIPv6AddressesInput{NetworkInterfaceID: eniID("sig2"), Addresses: []netip.Addr{ip(held6)}})
		}()
		time.Sleep(0)
		v.Inject(model.Fault{Action: assign6, Delay: 160 * ms, Count: 1}) // done at 80 ms
		v.Inject(model.Fault{Action: look, Delay: 100 * ms})              // done at 50 ms
		v.Inject(model.Fault{Action: assign6, Delay: 100 * ms})
		start := time.Now()
		if o := c.Do(t.Context(), claim6(held6))[0]; o.Reason != nil {
			t.Error(o.Reason)
		}
		if took := time.Since(start); took > 320*ms {
			t.Errorf("took %v: %s", took, actions(v))
		}
	})
}

// TestGivenAndTakenIsNotTakenBack: the remembered owner does not have the address
// any more, the answer to the second assign overtakes that to the first, which
// was given it, and a rival takes it before the owner is looked up.
func TestGivenAndTakenIsNotTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c := newSim(t)
		v.Assume(func(a *topology.Assumptions) { a.IPv6SameENIRefused = true })
		v.Tune(func(e *topology.EC2) { e.Latency = 100 * ms })
		v.Inject(model.Fault{Action: assign6, Delay: 40 * ms, Count: 1}) // done at 73 ms, answered at 143
		go func() {
			time.Sleep(100 * ms) // done at 150 ms
			_, _ = v.UnassignIPv6Addresses(context.Background(), model.UnassignIPv6AddressesInput{NetworkInterfaceID: eniID("sig1"), Addresses: []netip.Addr{ip(free6)}})
		}()
		go func() {
			time.Sleep(110 * ms) // done at 160 ms, the look after that
			_, _ = v.AssignIPv6Addresses(context.Background(), model.AssignIPv6AddressesInput{NetworkInterfaceID: eniID("sig2"), Addresses: []netip.Addr{ip(free6)}})
		}()
		if o := c.Do(t.Context(), claim6(free6, free6, "node2"))[0]; o.Reason != nil {
			t.Errorf("EC2 has acknowledged it: %v", o.Reason)
		}
		time.Sleep(time.Second)
		if e, _ := v.Owner(ip(free6)); e.Name != "sig2" {
			t.Errorf("%s is on %q, want the rival's sig2: %s", free6, e.Name, actions(v))
		}
	})
}

// TestTwoClaimantsOfOneAddress: both hurry; one has it in the end, and neither
// takes it twice.
func TestTwoClaimantsOfOneAddress(t *testing.T) {
	for lead := 0 * ms; lead <= 400*ms; lead += 10 * ms {
		synctest.Test(t, func(t *testing.T) {
			v, c := newSim(t)
			v.Tune(func(e *topology.EC2) { e.Latency, e.Jitter = 100*ms, 40*ms })
			back := claim6(held6, held6, "sig1")
			back.ENI, back.About.ID = eniID("sig2"), eniID("sig2")
			done := make(chan []eniassign.Outcome, 1)
			go func() { done <- c.Do(context.Background(), claim6(held6, held6, "sig2")) }()
			time.Sleep(lead)
			other := c.Do(t.Context(), back)[0]
			mine := (<-done)[0]
			e, _ := v.Owner(ip(held6))
			if e.Name != "sig1" && e.Name != "sig2" {
				t.Errorf("lead %v: nobody has it: %v, %v", lead, mine.Reason, other.Reason)
			}
			if e.Name == "sig1" && mine.Reason != nil || e.Name == "sig2" && other.Reason != nil {
				t.Errorf("lead %v: %s has it and was told %v, %v", lead, e.Name, mine.Reason, other.Reason)
			}
			steals := 0
			for _, call := range v.Calls(unassign6) {
				if call.Effective {
					steals++
				}
			}
			if steals > 2 {
				t.Errorf("lead %v: %d steals: %s", lead, steals, actions(v))
			}
		})
	}
}

// TestUrgentMoveUnderFaults: whatever fails, what is called done is done, what
// is called lost for good is not lost, and nobody else's address is touched.
func TestUrgentMoveUnderFaults(t *testing.T) {
	pool := []string{held6, held6b, free6, "2600:1f14:1:201::101", "2600:1f14:1:201::12", "2600:1f14:1:999::1"}
	outer := t
	rapid.Check(t, func(rt *rapid.T) {
		synctest.Test(outer, func(*testing.T) {
			v, c := newSim(rt)
			v.Tune(func(e *topology.EC2) {
				e.Latency = time.Duration(rapid.IntRange(0, 200).Draw(rt, "latency")) * ms
				e.Jitter = time.Duration(rapid.IntRange(0, 200).Draw(rt, "jitter")) * ms
			})
			call := claim6("")
			call.Owners = map[netip.Addr]string{}
			for _, a := range rapid.SliceOfNDistinct(rapid.SampledFrom(pool), 1, len(pool), rapid.ID).Draw(rt, "addresses") {
				call.Addrs = append(call.Addrs, ip(a))
				if name := rapid.SampledFrom([]string{"", "sig2", "sig2", "node2", "none"}).Draw(rt, "remembered"); name != "" {
					call.Owners[ip(a)] = eniID(name)
				}
			}
			slices.SortFunc(call.Addrs, netip.Addr.Compare)
			for range rapid.IntRange(0, 4).Draw(rt, "faults") {
				f := model.Fault{
					Action: rapid.SampledFrom([]string{assign6, unassign6, look}).Draw(rt, "action"),
					Count:  rapid.IntRange(0, 3).Draw(rt, "count"),
				}
				switch rapid.IntRange(0, 3).Draw(rt, "kind") {
				case 0:
					f.Code = rapid.SampledFrom([]string{model.CodeThrottled, model.CodeUnavailable, model.CodeInternal, model.CodeUnauthorized, "ExpiredToken", "Odd"}).Draw(rt, "code")
				case 1:
					f.Drop = rapid.SampledFrom([]model.Drop{model.DropBefore, model.DropAfter}).Draw(rt, "drop")
				default:
					f.Delay = time.Duration(rapid.IntRange(1, 500).Draw(rt, "delay")) * ms
				}
				v.Inject(f)
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if rapid.IntRange(0, 3).Draw(rt, "gives up") == 0 {
				time.AfterFunc(time.Duration(rapid.IntRange(0, 500).Draw(rt, "after"))*ms, cancel)
			}
			before := map[netip.Addr]string{}
			for _, e := range v.ENIs() {
				for _, a := range e.Addresses() {
					before[a] = e.Name
				}
			}

			outcomes := c.Do(ctx, call)
			synctest.Wait()

			if n := len(v.Calls()); n > 32 {
				rt.Fatalf("%d requests", n)
			}
			for i, o := range outcomes {
				e, held := v.Owner(o.Addr)
				switch {
				case o.Addr != call.Addrs[i]:
					rt.Fatalf("outcome %d is of %s", i, o.Addr)
				case o.Reason == nil && e.Name != "sig1":
					rt.Fatalf("%s is called done and is on %q", o.Addr, e.Name)
				case o.Reason != nil && !o.InDoubt && e.Name == "sig1" && before[o.Addr] != "sig1":
					rt.Fatalf("%s is on sig1 and nobody is told: %+v", o.Addr, o.Reason)
				case o.Reason != nil && before[o.Addr] != "" && !held && o.Reason.Class != eniassign.Transient && !strings.Contains(o.Reason.Text, "given back"):
					rt.Fatalf("%s is nobody's and nobody is told: %+v", o.Addr, o.Reason)
				}
			}
			for a, was := range before {
				if e, _ := v.Owner(a); e.Name != was && !slices.Contains(call.Addrs, a) {
					rt.Fatalf("%s was not asked for and moved from %s to %q", a, was, e.Name)
				}
			}
			for _, p := range []string{"2600:1f14:1:201::11", "2600:1f14:1:201::12"} {
				if e, _ := v.Owner(ip(p)); e.Name != before[ip(p)] {
					rt.Fatalf("primary %s is on %q", p, e.Name)
				}
			}
		})
	})
}

// BenchmarkIPv6Gap is TestIPv6Gap in real time, over TCP: from Do to the moment
// at which the address is on our ENI, with EC2 taking 100 ms.
func BenchmarkIPv6Gap(b *testing.B) {
	for name, call := range map[string]eniassign.Call{
		"one after the other": func() eniassign.Call { c := claim6(held6); c.Urgent = false; return c }(),
		"owner looked up":     claim6(held6),
		"owner remembered":    claim6(held6, held6, "sig2"),
	} {
		b.Run(name, func(b *testing.B) {
			v, _ := newSim(b)
			server := httptest.NewServer(ec2api.New(v))
			defer server.Close()
			c := &eniassign.Client{EC2: eniassign.NewEC2(aws.Config{
				Region: "eu-central-1", BaseEndpoint: &server.URL,
				Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret"}, nil
				}),
			})}
			v.Tune(func(e *topology.EC2) { e.Latency = 100 * ms })
			var gap time.Duration
			for b.Loop() {
				start := time.Now()
				if o := c.Do(b.Context(), call)[0]; o.Reason != nil {
					b.Fatal(o.Reason)
				}
				calls := v.Calls(assign6)
				for _, call := range calls {
					if call.Effective {
						gap += call.Time.Add(50 * ms).Sub(start) // half of the latency
						break
					}
				}
				b.StopTimer()
				_, _ = v.UnassignIPv6Addresses(b.Context(), model.UnassignIPv6AddressesInput{NetworkInterfaceID: eniID("sig1"), Addresses: call.Addrs})
				_, _ = v.AssignIPv6Addresses(b.Context(), model.AssignIPv6AddressesInput{NetworkInterfaceID: eniID("sig2"), Addresses: call.Addrs})
				v.ResetCalls()
				b.StartTimer()
			}
			b.ReportMetric(float64(gap.Microseconds())/1000/float64(b.N), "gap-ms")
		})
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign_test

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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

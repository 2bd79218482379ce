// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestSplitProperties: whatever is wrong with some addresses of a batch, the
// good ones are assigned, the bad ones have a reason, and the requests are few.
func TestSplitProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 50).Draw(t, "addresses")
		vpc := twoENIs()
		vpc.bad = map[string]error{}
		vpc.ackOmitsOwn = rapid.Bool().Draw(t, "ack omits own")
		if rapid.Bool().Draw(t, "nothing to be described") {
			vpc.fail = func(action string, _ int) error {
				if action == "DescribeNetworkInterfaces" {
					return apiError("UnauthorizedOperation", "no")
				}
				return nil
			}
			vpc.ackOmitsOwn = false
		}
		call := Call{Verb: rapid.SampledFrom([]Verb{Claim, Hold}).Draw(t, "verb"), ENI: "eni-a", Family: IPv4, About: ENI{VPCID: "vpc-1"}}
		bad := map[netip.Addr]bool{}
		held := map[netip.Addr]bool{}
		for i := range n {
			a := netip.AddrFrom4([4]byte{10, 0, 1, byte(100 + i)})
			call.Addrs = append(call.Addrs, a)
			switch rapid.IntRange(0, 30).Draw(t, "kind") {
			case 0:
				bad[a], vpc.bad[a.String()] = true, apiError("InvalidParameterValue", "Address does not fall within the subnet's address range")
			case 1:
				bad[a], vpc.bad[a.String()] = true, apiError("InvalidParameterValue", fmt.Sprintf("Address %s is in subnet's reserved address range", a))
			case 2:
				bad[a] = true
				vpc.enis["eni-"+a.String()] = &tinyENI{vpc: "vpc-1", primary: a.String(), addrs: []string{a.String()}}
			case 3:
				held[a] = true
				vpc.enis["eni-b"].addrs = append(vpc.enis["eni-b"].addrs, a.String())
			case 4:
				vpc.enis["eni-a"].addrs = append(vpc.enis["eni-a"].addrs, a.String())
			}
		}
		wanted := call.Addrs
		final := map[netip.Addr]*Reason{}
		// A batch that needs more than maxRequests goes on in the next rounds.
		for round := 0; len(call.Addrs) > 0; round++ {
			if round > 2*len(bad)+2 {
				t.Fatalf("no end after %d rounds", round)
			}
			vpc.log = nil
			outcomes := (&Client{EC2: vpc}).Do(t.Context(), call)
			if len(vpc.log) > maxRequests {
				t.Fatalf("%d requests in one Do", len(vpc.log))
			}
			if len(bad) == 0 && call.Verb == Claim && !vpc.ackOmitsOwn && len(vpc.log) != 1 {
				t.Fatalf("nothing was wrong and there were %d requests", len(vpc.log))
			}
			if len(outcomes) != len(call.Addrs) {
				t.Fatalf("%d outcomes for %d addresses", len(outcomes), len(call.Addrs))
			}
			var next []netip.Addr
			for i, o := range outcomes {
				if o.Addr != call.Addrs[i] {
					t.Fatalf("outcome %d is of %s, want %s", i, o.Addr, call.Addrs[i])
				}
				if o.Reason != nil && o.Reason.Class == Transient {
					next = append(next, o.Addr)
					continue
				}
				final[o.Addr] = o.Reason
			}
			call.Addrs = next
		}
		for _, a := range wanted {
			ours := slices.Contains(vpc.enis["eni-a"].addrs, a.String())
			switch why := final[a]; {
			case (why == nil) != ours:
				t.Fatalf("%s: reason %v, but on the ENI: %v", a, why, ours)
			case bad[a] && why == nil, bad[a] && why.Class != Permanent:
				t.Fatalf("bad %s: %v", a, why)
			case held[a] && call.Verb == Hold:
				if why == nil || why.Class != Contested {
					t.Fatalf("held %s: %v", a, why)
				}
			case !bad[a] && why != nil:
				t.Fatalf("good %s: %v", a, why)
			}
		}
	})
}

// TestMoveOfManyIPv6Addresses: each from an ENI of its own, more than one Do
// has requests for. None of them is left without an ENI.
func TestMoveOfManyIPv6Addresses(t *testing.T) {
	t.Run("not urgent", func(t *testing.T) { moveMany(t, false, false, 3) })
	t.Run("owners not remembered", func(t *testing.T) { moveMany(t, true, false, 4) })
	t.Run("owners remembered", func(t *testing.T) { moveMany(t, true, true, 4) })
}

func moveMany(t *testing.T, urgent, remembered bool, rounds int) {
	vpc := twoENIs()
	call := Call{Verb: Claim, ENI: "eni-a", Family: IPv6, About: ENI{VPCID: "vpc-1"}, Urgent: urgent, Owners: map[netip.Addr]string{}}
	for i := range 40 {
		a := fmt.Sprintf("2001:db8::%x", 0x100+i)
		vpc.enis["eni-"+a] = &tinyENI{vpc: "vpc-1", addrs: []string{a}}
		call.Addrs = append(call.Addrs, netip.MustParseAddr(a))
		if remembered {
			call.Owners[netip.MustParseAddr(a)] = "eni-" + a
		}
	}
	for round := 0; len(call.Addrs) > 0; round++ {
		if round == rounds {
			t.Fatalf("%d addresses are left", len(call.Addrs))
		}
		vpc.log = nil
		var next []netip.Addr
		for _, o := range (&Client{EC2: vpc}).Do(t.Context(), call) {
			if vpc.owner(o.Addr.String(), "vpc-1") == "" {
				t.Fatalf("nobody has %s", o.Addr)
			}
			if o.Reason != nil && o.Reason.Code != RequestPostponed {
				t.Fatalf("%s: %v", o.Addr, o.Reason)
			}
			if o.Reason != nil {
				next = append(next, o.Addr)
			}
		}
		if len(vpc.log) > maxRequests {
			t.Fatalf("%d requests", len(vpc.log))
		}
		call.Addrs = next
	}
}

// TestReleaseProperties: all that is not a primary is off the ENI afterwards,
// whatever was on it, and nothing else is.
func TestReleaseProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vpc := twoENIs()
		e := vpc.enis["eni-a"]
		e.primary6 = "2001:db8::100"
		e.addrs = []string{"10.0.1.10", e.primary6, "10.0.1.99", "2001:db8::99"}
		call := Call{Verb: Release, ENI: "eni-a", Family: rapid.SampledFrom([]Family{IPv4, IPv6}).Draw(t, "family")}
		for i := range rapid.IntRange(1, 30).Draw(t, "addresses") {
			a := netip.AddrFrom4([4]byte{10, 0, 1, byte(10 + i)})
			if call.Family == IPv6 {
				a = netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", 0x100+i))
			}
			call.Addrs = append(call.Addrs, a)
			if rapid.Bool().Draw(t, "there") && !slices.Contains(e.addrs, a.String()) {
				e.addrs = append(e.addrs, a.String())
			}
		}
		for _, o := range (&Client{EC2: vpc}).Do(t.Context(), call) {
			primary := o.Addr.String() == e.primary || o.Addr.String() == e.primary6
			if primary != (o.Reason != nil) {
				t.Fatalf("%s: %v", o.Addr, o.Reason)
			}
			if !primary && slices.Contains(e.addrs, o.Addr.String()) {
				t.Fatalf("%s is still there", o.Addr)
			}
		}
		for _, a := range []string{e.primary, e.primary6, "10.0.1.99", "2001:db8::99"} {
			if !slices.Contains(e.addrs, a) {
				t.Fatalf("%s is lost", a)
			}
		}
		if len(vpc.log) > maxRequests {
			t.Fatalf("%d requests", len(vpc.log))
		}
	})
}

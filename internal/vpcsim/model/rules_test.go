// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

var byValue = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
}

type tester interface {
	Helper()
	Errorf(string, ...any)
}

func wantSame(t tester, before, after []ENI) {
	t.Helper()
	if diff := cmp.Diff(before, after, byValue); diff != "" {
		t.Errorf("a refused call changed something (-before +after):\n%s", diff)
	}
}

// TestRulesHoldForAnyCalls makes calls at random and checks what must hold
// after each of them.
func TestRulesHoldForAnyCalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		topo, err := topology.Parse("world.yaml", []byte(world))
		if err != nil {
			t.Fatal(err)
		}
		v, err := New(topo)
		if err != nil {
			t.Fatal(err)
		}
		v.Assume(func(a *topology.Assumptions) {
			a.LimitCountsPresent = rapid.Bool().Draw(t, "limit counts present")
			a.OwnPrefixAccepted = rapid.Bool().Draw(t, "own prefix accepted")
			a.IPv4SameENIRefused = rapid.Bool().Draw(t, "same ENI refused")
		})
		primaries := map[string]netip.Addr{}
		for _, e := range v.ENIs() {
			primaries[e.ID] = e.Primary
		}
		for range rapid.IntRange(1, 30).Draw(t, "calls") {
			before := v.ENIs()
			if err := anyCall(t, v); err != nil {
				wantSame(t, before, v.ENIs())
			}
			checkRules(t, v, primaries)
		}
	})
}

func anyCall(t *rapid.T, v *VPC) error {
	ctx := context.Background()
	eni := id(rapid.SampledFrom([]string{"sig1", "sig2", "node1", "nobody"}).Draw(t, "eni"))
	v4 := rapid.Custom(func(t *rapid.T) netip.Addr {
		return netip.AddrFrom4([4]byte{10, 0, 1, byte(rapid.SampledFrom([]int{0, 3, 11, 12, 50, 51, 60, 61, 100, 145, 150, 160, 255}).Draw(t, "v4"))})
	})
	v6 := rapid.Custom(func(t *rapid.T) netip.Addr {
		if rapid.Bool().Draw(t, "inside of a prefix") {
			return ip("2600:1f14:1:201:1::9")
		}
		return ip("2600:1f14:1:201::" + rapid.SampledFrom([]string{"1", "11", "12", "20", "21", "22", "23"}).Draw(t, "v6"))
	})
	p4 := rapid.SampledFrom(cidrs("10.0.1.0/28", "10.0.1.48/28", "10.0.1.144/28", "10.0.1.160/28"))
	p6 := rapid.SampledFrom(cidrs("2600:1f14:1:201::/80", "2600:1f14:1:201:1::/80"))
	some, count := rapid.SliceOfN(v4, 0, 4), rapid.IntRange(0, 3)
	var err error
	switch rapid.IntRange(0, 7).Draw(t, "action") {
	case 0, 1:
		_, err = v.AssignPrivateIPAddresses(ctx, AssignPrivateIPAddressesInput{NetworkInterfaceID: eni, Addresses: some.Draw(t, "addrs"), AllowReassignment: rapid.Bool().Draw(t, "move")})
	case 2:
		_, err = v.AssignPrivateIPAddresses(ctx, AssignPrivateIPAddressesInput{NetworkInterfaceID: eni, Count: count.Draw(t, "count"), PrefixCount: count.Draw(t, "prefixes")})
	case 3:
		_, err = v.AssignPrivateIPAddresses(ctx, AssignPrivateIPAddressesInput{NetworkInterfaceID: eni, Prefixes: []netip.Prefix{p4.Draw(t, "prefix")}})
	case 4:
		err = v.UnassignPrivateIPAddresses(ctx, UnassignPrivateIPAddressesInput{NetworkInterfaceID: eni, Addresses: some.Draw(t, "addrs"), Prefixes: rapid.SliceOfN(p4, 0, 1).Draw(t, "prefix")})
	case 5:
		_, err = v.AssignIPv6Addresses(ctx, AssignIPv6AddressesInput{NetworkInterfaceID: eni, Addresses: rapid.SliceOfN(v6, 0, 3).Draw(t, "addrs")})
	case 6:
		_, err = v.AssignIPv6Addresses(ctx, AssignIPv6AddressesInput{NetworkInterfaceID: eni, Count: count.Draw(t, "count"), Prefixes: rapid.SliceOfN(p6, 0, 1).Draw(t, "prefix")})
	default:
		_, err = v.UnassignIPv6Addresses(ctx, UnassignIPv6AddressesInput{NetworkInterfaceID: eni, Addresses: rapid.SliceOfN(v6, 0, 3).Draw(t, "addrs"), Prefixes: rapid.SliceOfN(p6, 0, 1).Draw(t, "prefix")})
	}
	if e, ok := errors.AsType[*Error](err); err != nil && (!ok || e.Code == "" || e.Message == "" || e.HTTPStatus < 400) {
		t.Fatalf("a refusal that is not EC2's: %#v", err)
	}
	return err
}

func checkRules(t *rapid.T, v *VPC, primaries map[string]netip.Addr) {
	holders := map[netip.Addr]string{}
	blocks := map[netip.Prefix]string{}
	for _, e := range v.ENIs() {
		if e.Primary != primaries[e.ID] {
			t.Fatalf("the primary of %s changed from %s to %s", e.Name, primaries[e.ID], e.Primary)
		}
		if e.PrimaryIPv6.IsValid() && !slices.Contains(e.IPv6, e.PrimaryIPv6) {
			t.Fatalf("%s lost its primary IPv6 address", e.Name)
		}
		if 1+len(e.Secondary)+len(e.IPv4Prefixes) > 5 && e.Worker != "" || len(e.IPv6)+len(e.IPv6Prefixes) > 3 {
			t.Fatalf("%s exceeds its limit: %v", e.Name, e)
		}
		for _, a := range e.Addresses() {
			if other, twice := holders[a]; twice {
				t.Fatalf("%s is on %s and on %s", a, other, e.Name)
			}
			holders[a] = e.Name
			if owner, ok := v.Deliver(id("node1"), a); !ok || owner != e.ID || !v.Permits(e.ID, a) {
				t.Fatalf("the data plane does not follow: %s is on %s, delivered to %s", a, e.ID, owner)
			}
		}
		for _, p := range append(e.IPv4Prefixes, e.IPv6Prefixes...) {
			if other, twice := blocks[p]; twice {
				t.Fatalf("%s is on %s and on %s", p, other, e.Name)
			}
			blocks[p] = e.Name
		}
	}
	for a, holder := range holders {
		for p, other := range blocks {
			if p.Contains(a) {
				t.Fatalf("%s of %s lies in the prefix %s of %s", a, holder, p, other)
			}
		}
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

func TestAssignIPv4(t *testing.T) {
	const invalid = "InvalidParameterValue: "
	tests := []struct {
		name   string
		move   bool
		addrs  []string
		assume func(*topology.Assumptions)
		want   string
	}{
		{name: "free address", addrs: []string{"10.0.1.100"}},
		{name: "free address with reassignment", move: true, addrs: []string{"10.0.1.100"}},
		{name: "the same twice in one call", addrs: []string{"10.0.1.100", "10.0.1.100"}},
		{name: "explicit reservation", addrs: []string{"10.0.1.97"}},
		{name: "secondary of another ENI", addrs: []string{"10.0.1.50"}, want: invalid + "[10.0.1.50] assigned, but move is not allowed."},
		{name: "two of another ENI", addrs: []string{"10.0.1.100", "10.0.1.50", "10.0.1.51"}, want: invalid + "[10.0.1.50, 10.0.1.51] assigned, but move is not allowed."},
		{name: "moved", move: true, addrs: []string{"10.0.1.50"}},
		{name: "primary of another ENI", move: true, addrs: []string{"10.0.1.12"}, want: invalid + "secondary-addresses"},
		{name: "primary of another ENI without reassignment", addrs: []string{"10.0.1.12"}, want: invalid + "secondary-addresses"},
		{name: "primary of another ENI without reassignment, other answer", addrs: []string{"10.0.1.12"},
			assume: func(a *topology.Assumptions) { a.PrimaryHidesBehindMove = true }, want: invalid + "[10.0.1.12] assigned, but move is not allowed."},
		{name: "own primary", move: true, addrs: []string{"10.0.1.11"}, want: invalid + "secondary-addresses"},
		{name: "one bad spoils all", move: true, addrs: []string{"10.0.1.100", "10.0.1.12"}, want: invalid + "secondary-addresses"},
		{name: "outside the subnet", addrs: []string{"10.0.2.1"}, want: invalid + "Address does not fall within the subnet's address range"},
		{name: "reserved at the start", addrs: []string{"10.0.1.3"}, want: invalid + "Address 10.0.1.3 is in subnet's reserved address range"},
		{name: "reserved at the end", addrs: []string{"10.0.1.255"}, want: invalid + "Address 10.0.1.255 is in subnet's reserved address range"},
		{name: "IPv6", addrs: []string{"2600:1f14:1:201::99"}, want: invalid + "invalid value for parameter address: 2600:1f14:1:201::99"},
		{name: "full", addrs: []string{"10.0.1.100", "10.0.1.101", "10.0.1.102", "10.0.1.103", "10.0.1.104"},
			want: "PrivateIpAddressLimitExceeded: Number of private addresses will exceed limit."},
		{name: "in another ENI's prefix", move: true, addrs: []string{"10.0.1.150"},
			want: invalid + "The address 10.0.1.150 is within a prefix that is assigned to a network interface."},
		{name: "in another ENI's prefix, other answer", move: true, addrs: []string{"10.0.1.150"},
			assume: func(a *topology.Assumptions) {
				a.InPrefixCode, a.InPrefixMessage = "Odd", "{address} of {eni} in {owner}"
			},
			want: "Odd: 10.0.1.150 of " + id("sig1") + " in " + id("sig2")},
		{name: "none", want: "MissingParameter: The request must contain the parameter privateIpAddress or secondaryPrivateIpAddressCount"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newWorld(t)
			if tt.assume != nil {
				v.Assume(tt.assume)
			}
			before := v.ENIs()
			wantRefusal(t, assign(v, "sig1", tt.move, tt.addrs...), tt.want)
			if tt.want != "" {
				wantSame(t, before, v.ENIs())
				return
			}
			for _, a := range tt.addrs {
				if e, _ := v.Owner(ip(a)); e.Name != "sig1" {
					t.Errorf("%s is on %q", a, e.Name)
				}
				if slices.Contains(v.Addresses("sig2"), ip(a)) {
					t.Errorf("%s is still on sig2", a)
				}
			}
		})
	}
}

func TestAssignToOwnerAgain(t *testing.T) {
	v := newWorld(t)
	wantRefusal(t, assign(v, "sig2", true, "10.0.1.50"), "")
	wantRefusal(t, assign(v, "sig2", false, "10.0.1.50"), "")
	wantAddresses(t, v, "sig2", "10.0.1.12", "10.0.1.50", "10.0.1.51", "2600:1f14:1:201::12")
	v.Assume(func(a *topology.Assumptions) { a.IPv4SameENIRefused = true })
	wantRefusal(t, assign(v, "sig2", true, "10.0.1.50"), "")
	wantRefusal(t, assign(v, "sig2", false, "10.0.1.50"), "InvalidParameterValue: [10.0.1.50] assigned, but move is not allowed.")
}

func TestLimitCountsWhatIsThere(t *testing.T) {
	v := newWorld(t) // sig2 has 12, 50, 51 and a prefix: 4 of 5
	v.Assume(func(a *topology.Assumptions) { a.LimitCountsPresent = true })
	wantRefusal(t, assign(v, "sig2", true, "10.0.1.50", "10.0.1.60"), "PrivateIpAddressLimitExceeded: Number of private addresses will exceed limit.")
	v.Assume(func(a *topology.Assumptions) { a.LimitCountsPresent = false })
	wantRefusal(t, assign(v, "sig2", true, "10.0.1.50", "10.0.1.60"), "")
}

func TestOwnPrefix(t *testing.T) {
	v := newWorld(t)
	wantRefusal(t, assign(v, "sig2", true, "10.0.1.150"), "InvalidParameterValue: The address 10.0.1.150 is within a prefix that is assigned to a network interface.")
	v.Assume(func(a *topology.Assumptions) { a.OwnPrefixAccepted = true })
	before := v.ENIs()
	wantRefusal(t, assign(v, "sig2", true, "10.0.1.150"), "")
	wantSame(t, before, v.ENIs())
}

func TestAssignUnknownENI(t *testing.T) {
	v := newWorld(t)
	for eni, want := range map[string]string{
		"":          "MissingParameter: The request must contain the parameter networkInterfaceId",
		"sig1":      `InvalidNetworkInterfaceId.Malformed: Invalid id: "sig1" (expecting "eni-...")`,
		"eni-12345": "InvalidNetworkInterfaceID.NotFound: The networkInterface ID 'eni-12345' does not exist",
	} {
		_, err := v.AssignPrivateIPAddresses(context.Background(), AssignPrivateIPAddressesInput{NetworkInterfaceID: eni, Addresses: ips("10.0.1.100")})
		wantRefusal(t, err, want)
	}
}

func TestAssignByCount(t *testing.T) {
	v := newWorld(t, func(topo *topology.Topology) {
		topo.Workers[0].ENIs[1].IP = ip("10.0.1.4")
		topo.Workers[0].IPv4PerENI = 500
	})
	ctx := context.Background()
	out, err := v.AssignPrivateIPAddresses(ctx, AssignPrivateIPAddressesInput{NetworkInterfaceID: id("sig1"), Count: 90})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Addresses) != 90 || out.Addresses[0] != ip("10.0.1.5") {
		t.Errorf("got %d addresses from %v on", len(out.Addresses), out.Addresses[0])
	}
	for _, a := range out.Addresses {
		for _, p := range cidrs("10.0.1.96/27", "10.0.1.144/28", "10.0.1.192/27") {
			if p.Contains(a) {
				t.Errorf("chose %s from %s, which is reserved or delegated", a, p)
			}
		}
	}
	_, err = v.AssignPrivateIPAddresses(ctx, AssignPrivateIPAddressesInput{NetworkInterfaceID: id("sig1"), Count: 200})
	wantRefusal(t, err, "InsufficientFreeAddressesInSubnet: The specified subnet does not have enough free addresses to satisfy the request.")
	_, err = v.AssignPrivateIPAddresses(ctx, AssignPrivateIPAddressesInput{NetworkInterfaceID: id("sig1"), Count: 1, Addresses: ips("10.0.1.220")})
	wantRefusal(t, err, "InvalidParameterCombination: Addresses, a number of addresses, prefixes and a number of prefixes may not be specified on the same request")
}

func TestPrefixes(t *testing.T) {
	v := newWorld(t)
	ctx := context.Background()
	prefix := func(texts ...string) error {
		_, err := v.AssignPrivateIPAddresses(ctx, AssignPrivateIPAddressesInput{NetworkInterfaceID: id("sig1"), Prefixes: cidrs(texts...)})
		return err
	}
	wantRefusal(t, prefix("10.0.1.0/28"), "InvalidParameterValue: Prefix 10.0.1.0/28 is in subnet's reserved address range")
	wantRefusal(t, prefix("10.0.1.48/28"), "InvalidParameterValue: The prefix 10.0.1.48/28 contains addresses that are already assigned")
	wantRefusal(t, prefix("10.0.1.144/28"), "InvalidParameterValue: The prefix 10.0.1.144/28 is already assigned")
	wantRefusal(t, prefix("10.0.1.64/27"), "InvalidParameterValue: invalid value for parameter prefix: 10.0.1.64/27")
	wantRefusal(t, prefix("10.0.2.64/28"), "InvalidParameterValue: Address does not fall within the subnet's address range")
	wantRefusal(t, prefix("10.0.1.64/28"), "")
	if e, ok := v.Owner(ip("10.0.1.65")); !ok || e.Name != "sig1" {
		t.Errorf("10.0.1.65 is in a prefix of sig1, but is on %q", e.Name)
	}
	out, err := v.AssignPrivateIPAddresses(ctx, AssignPrivateIPAddressesInput{NetworkInterfaceID: id("sig1"), PrefixCount: 3})
	if err != nil || fmt.Sprint(out.Prefixes) != "[10.0.1.192/28 10.0.1.208/28 10.0.1.16/28]" {
		t.Errorf("got %v, %v; want the prefix reservation first", out.Prefixes, err)
	}
	wantRefusal(t, assign(v, "sig1", false, "10.0.1.240"), "PrivateIpAddressLimitExceeded: Number of private addresses will exceed limit.")
	wantRefusal(t, v.UnassignPrivateIPAddresses(ctx, UnassignPrivateIPAddressesInput{NetworkInterfaceID: id("sig1"), Prefixes: cidrs("10.0.1.64/28", "10.0.1.192/28")}), "")
	wantRefusal(t, assign(v, "sig1", false, "10.0.1.65"), "")
	out6, err := v.AssignIPv6Addresses(ctx, AssignIPv6AddressesInput{NetworkInterfaceID: id("sig1"), PrefixCount: 1})
	if err != nil || fmt.Sprint(out6.Prefixes) != "[2600:1f14:1:201:1::/80]" {
		t.Errorf("got %v, %v", out6.Prefixes, err)
	}
}

func TestUnassignIPv4(t *testing.T) {
	some := "InvalidParameterValue: Some of the specified addresses are not assigned to interface " + id("sig2")
	tests := []struct {
		name  string
		addrs []string
		want  string
	}{
		{"secondary", []string{"10.0.1.50"}, ""},
		{"all", []string{"10.0.1.50", "10.0.1.51"}, ""},
		{"primary", []string{"10.0.1.12"}, "InvalidParameterValue: The primary IP address of an interface cannot be unassigned"},
		{"secondary and primary", []string{"10.0.1.50", "10.0.1.12"}, "InvalidParameterValue: The primary IP address of an interface cannot be unassigned"},
		{"nobody's", []string{"10.0.1.77"}, some},
		{"one of two", []string{"10.0.1.50", "10.0.1.77"}, some},
		{"another ENI's", []string{"10.0.1.11"}, some},
		{"in a prefix", []string{"10.0.1.150"}, some},
		{"none", nil, "MissingParameter: The request must contain the parameter privateIpAddresses"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newWorld(t)
			before := v.ENIs()
			wantRefusal(t, unassign(v, "sig2", tt.addrs...), tt.want)
			if tt.want != "" {
				wantSame(t, before, v.ENIs())
				return
			}
			for _, a := range tt.addrs {
				if e, ok := v.Owner(ip(a)); ok {
					t.Errorf("%s is still on %s", a, e.Name)
				}
			}
		})
	}
}

func TestIPv6(t *testing.T) {
	const p = "2600:1f14:1:201::"
	v := newWorld(t)
	wantRefusal(t, assign6(v, "sig1", p+"100"), "")
	wantRefusal(t, assign6(v, "sig1", p+"100"), "")
	wantRefusal(t, assign6(v, "sig2", p+"100"), "InvalidParameterValue: The address '"+p+"100' is already assigned to another network interface.")
	v.Assume(func(a *topology.Assumptions) {
		a.IPv6OwnedElsewhereCode, a.IPv6OwnedElsewhereMessage = "InvalidIPAddress.InUse", "{address} is on {owner}"
		a.IPv6SameENIRefused = true
		a.IPv6NotMappedCode = "InvalidAddress.NotFound"
	})
	wantRefusal(t, assign6(v, "sig2", p+"100"), "InvalidIPAddress.InUse: "+p+"100 is on "+id("sig1"))
	wantRefusal(t, assign6(v, "sig1", p+"100"), "InvalidIPAddress.InUse: "+p+"100 is on "+id("sig1"))
	wantRefusal(t, unassign6(v, "sig2", p+"100"), "InvalidAddress.NotFound: The address '"+p+"100' is not mapped to interface ID '"+id("sig2")+"'")
	v.Assume(func(a *topology.Assumptions) { *a = topology.Assumptions{} })
	wantRefusal(t, unassign6(v, "sig2", p+"100"), "InvalidParameterValue: The address '"+p+"100' is not mapped to interface ID '"+id("sig2")+"'")
	wantRefusal(t, unassign6(v, "sig1", p+"11"), "InvalidParameterValue: The primary IP address of an interface cannot be unassigned")
	wantRefusal(t, unassign6(v, "sig1", p+"100"), "")
	wantRefusal(t, assign6(v, "sig2", p+"100"), "")
	wantRefusal(t, assign6(v, "sig2", p+"101", p+"102"), "PrivateIpAddressLimitExceeded: Number of IPv6 addresses will exceed limit.")
	wantRefusal(t, assign6(v, "sig2", p+"3"), "InvalidParameterValue: Address "+p+"3 is in subnet's reserved address range")
	wantRefusal(t, assign6(v, "node1", p+"101"), "InvalidParameterValue: The subnet '"+topology.DeriveID("subnet", "node")+"' does not have an IPv6 CIDR block associated with it")
	out, err := v.AssignIPv6Addresses(context.Background(), AssignIPv6AddressesInput{NetworkInterfaceID: id("sig1"), Count: 2})
	if err != nil || fmt.Sprint(out.Addresses) != "["+p+"4 "+p+"5]" {
		t.Errorf("got %v, %v", out.Addresses, err)
	}
}

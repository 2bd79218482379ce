// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// world is two workers that share subnet sig; each test makes its own VPC of
// it. An ENI of worker1 and worker2 may have 5 IPv4 and 3 IPv6 addresses.
const world = `
vpc: {cidrs: [10.0.0.0/16, "2600:1f14:1:200::/56"]}
subnets:
- {name: node, cidr: 10.0.0.0/24}
- name: sig
  cidr: 10.0.1.0/24
  ipv6: "2600:1f14:1:201::/64"
  reservations: [{cidr: 10.0.1.96/27}, {cidr: 10.0.1.192/27, type: prefix}]
workers:
- name: worker1
  ipv4-per-eni: 5
  ipv6-per-eni: 3
  enis:
  - {name: node1, index: 0, subnet: node, ip: 10.0.0.11}
  - {name: sig1, index: 1, subnet: sig, ip: 10.0.1.11, ipv6: ["2600:1f14:1:201::11"], primary-ipv6: true,
     tags: {node.k8s.amazonaws.com/no_manage: "true", Name: sig one}}
- name: worker2
  ipv4-per-eni: 5
  ipv6-per-eni: 3
  enis:
  - {name: node2, index: 0, subnet: node, ip: 10.0.0.12}
  - {name: sig2, index: 1, subnet: sig, ip: 10.0.1.12, ipv6: ["2600:1f14:1:201::12"], secondary: [10.0.1.50, 10.0.1.51], prefixes: [10.0.1.144/28]}
`

// newWorld returns a VPC of the world with a change to its topology.
func newWorld(t testing.TB, change ...func(*topology.Topology)) *VPC {
	t.Helper()
	topo, err := topology.Parse("world.yaml", []byte(world))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(&topo)
	}
	v, err := New(topo)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func id(name string) string { return topology.DeriveID("eni", name) }

func ip(text string) netip.Addr { return netip.MustParseAddr(text) }

func ips(texts ...string) []netip.Addr {
	var all []netip.Addr
	for _, t := range texts {
		all = append(all, ip(t))
	}
	return all
}

func cidrs(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, t := range texts {
		all = append(all, netip.MustParsePrefix(t))
	}
	return all
}

func assign(v *VPC, eni string, move bool, addrs ...string) error {
	_, err := v.AssignPrivateIPAddresses(context.Background(), AssignPrivateIPAddressesInput{NetworkInterfaceID: id(eni), Addresses: ips(addrs...), AllowReassignment: move})
	return err
}

func unassign(v *VPC, eni string, addrs ...string) error {
	return v.UnassignPrivateIPAddresses(context.Background(), UnassignPrivateIPAddressesInput{NetworkInterfaceID: id(eni), Addresses: ips(addrs...)})
}

func assign6(v *VPC, eni string, addrs ...string) error {
	_, err := v.AssignIPv6Addresses(context.Background(), AssignIPv6AddressesInput{NetworkInterfaceID: id(eni), Addresses: ips(addrs...)})
	return err
}

func unassign6(v *VPC, eni string, addrs ...string) error {
	_, err := v.UnassignIPv6Addresses(context.Background(), UnassignIPv6AddressesInput{NetworkInterfaceID: id(eni), Addresses: ips(addrs...)})
	return err
}

// wantRefusal fails the test unless err is EC2's refusal with that text,
// "Code: Message"; "" wants success.
func wantRefusal(t testing.TB, err error, want string) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	switch {
	case want == "" && err != nil:
		t.Errorf("refused: %v", err)
	case want != "" && (!ok || e.Error() != want):
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func wantAddresses(t testing.TB, v *VPC, eni string, want ...string) {
	t.Helper()
	if got := v.Addresses(eni); !slices.Equal(got, ips(want...)) {
		t.Errorf("%s has %v, want %v", eni, got, want)
	}
}

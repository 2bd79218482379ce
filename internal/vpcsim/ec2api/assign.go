// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"context"
	"net/netip"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

type assignedAddress struct {
	PrivateIPAddress string `xml:"privateIpAddress"`
}

type ipv4Prefix struct {
	IPv4Prefix string `xml:"ipv4Prefix"`
}

type ipv6Prefix struct {
	IPv6Prefix string `xml:"ipv6Prefix"`
}

type assignPrivateReply struct {
	head
	NetworkInterfaceID string                `xml:"networkInterfaceId"`
	Addresses          list[assignedAddress] `xml:"assignedPrivateIpAddressesSet"`
	Prefixes           list[ipv4Prefix]      `xml:"assignedIpv4PrefixSet"`
	Return             bool                  `xml:"return"`
}

func assignPrivate(f *form) func(context.Context, *model.VPC) (reply, error) {
	in := model.AssignPrivateIPAddressesInput{
		NetworkInterfaceID: f.text("NetworkInterfaceId"),
		Addresses:          f.addrs("PrivateIpAddress"),
		Count:              f.number("SecondaryPrivateIpAddressCount"),
		Prefixes:           f.prefixes("Ipv4Prefix"),
		PrefixCount:        f.number("Ipv4PrefixCount"),
		AllowReassignment:  f.flag("AllowReassignment"),
	}
	return func(ctx context.Context, v *model.VPC) (reply, error) {
		out, err := v.AssignPrivateIPAddresses(ctx, in)
		return &assignPrivateReply{
			NetworkInterfaceID: out.NetworkInterfaceID,
			Addresses:          listOf(out.Addresses, func(a netip.Addr) assignedAddress { return assignedAddress{a.String()} }),
			Prefixes:           listOf(out.Prefixes, newIPv4Prefix),
			Return:             true,
		}, err
	}
}

func unassignPrivate(f *form) func(context.Context, *model.VPC) (reply, error) {
	in := model.UnassignPrivateIPAddressesInput{
		NetworkInterfaceID: f.text("NetworkInterfaceId"),
		Addresses:          f.addrs("PrivateIpAddress"),
		Prefixes:           f.prefixes("Ipv4Prefix"),
	}
	return func(ctx context.Context, v *model.VPC) (reply, error) {
		return &done{Return: true}, v.UnassignPrivateIPAddresses(ctx, in)
	}
}

type assignIPv6Reply struct {
	head
	NetworkInterfaceID string       `xml:"networkInterfaceId"`
	Addresses          list[string] `xml:"assignedIpv6Addresses"`
	Prefixes           list[string] `xml:"assignedIpv6PrefixSet"`
}

func assignIPv6(f *form) func(context.Context, *model.VPC) (reply, error) {
	in := model.AssignIPv6AddressesInput{
		NetworkInterfaceID: f.text("NetworkInterfaceId"),
		Addresses:          f.addrs("Ipv6Addresses"),
		Count:              f.number("Ipv6AddressCount"),
		Prefixes:           f.prefixes("Ipv6Prefix"),
		PrefixCount:        f.number("Ipv6PrefixCount"),
	}
	return func(ctx context.Context, v *model.VPC) (reply, error) {
		out, err := v.AssignIPv6Addresses(ctx, in)
		return &assignIPv6Reply{
			NetworkInterfaceID: out.NetworkInterfaceID,
			Addresses:          listOf(out.Addresses, netip.Addr.String),
			Prefixes:           listOf(out.Prefixes, netip.Prefix.String),
		}, err
	}
}

type unassignIPv6Reply struct {
	head
	NetworkInterfaceID string       `xml:"networkInterfaceId"`
	Addresses          list[string] `xml:"unassignedIpv6Addresses"`
	Prefixes           list[string] `xml:"unassignedIpv6PrefixSet"`
}

func unassignIPv6(f *form) func(context.Context, *model.VPC) (reply, error) {
	in := model.UnassignIPv6AddressesInput{
		NetworkInterfaceID: f.text("NetworkInterfaceId"),
		Addresses:          f.addrs("Ipv6Addresses"),
		Prefixes:           f.prefixes("Ipv6Prefix"),
	}
	return func(ctx context.Context, v *model.VPC) (reply, error) {
		out, err := v.UnassignIPv6Addresses(ctx, in)
		return &unassignIPv6Reply{
			NetworkInterfaceID: out.NetworkInterfaceID,
			Addresses:          listOf(out.Addresses, netip.Addr.String),
			Prefixes:           listOf(out.Prefixes, netip.Prefix.String),
		}, err
	}
}

func newIPv4Prefix(p netip.Prefix) ipv4Prefix { return ipv4Prefix{p.String()} }
func newIPv6Prefix(p netip.Prefix) ipv6Prefix { return ipv6Prefix{p.String()} }

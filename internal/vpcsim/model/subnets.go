// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"context"
	"maps"
	"net/netip"
	"slices"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// A Subnet is a subnet as EC2 describes it.
type Subnet struct {
	Name    string
	ID      string
	VPCID   string
	OwnerID string
	Zone    string
	CIDR    netip.Prefix
	IPv6    netip.Prefix
	// Available is how many IPv4 addresses are free; delegated prefixes count
	// with all of theirs.
	Available int
	Tags      map[string]string
}

// subnet is a subnet's state.
type subnet struct {
	spec         topology.Subnet
	tags         map[string]string
	table        *routeTable
	reservations []Reservation
}

// block is the subnet's block of a family, not valid where it has none.
func (s *subnet) block(v4 bool) netip.Prefix {
	if v4 {
		return s.spec.CIDR
	}
	return s.spec.IPv6
}

// reservation is the one that contains a.
func (s *subnet) reservation(a netip.Addr) (Reservation, bool) {
	i := slices.IndexFunc(s.reservations, func(r Reservation) bool { return r.CIDR.Contains(a) })
	if i < 0 {
		return Reservation{}, false
	}
	return s.reservations[i], true
}

// reservedAs is the type of a reservation that p lies in or overlaps.
func (s *subnet) reservedAs(p netip.Prefix) (kind string, any bool) {
	for _, r := range s.reservations {
		if r.CIDR.Overlaps(p) {
			return r.Type, true
		}
	}
	return "", false
}

// keptByEC2 is how many addresses of a subnet EC2 keeps for itself.
const keptByEC2 = 5

// viewSubnet is the subnet as it is now. It wants mu.
func (v *VPC) viewSubnet(s *subnet) Subnet {
	free := 1<<(32-s.spec.CIDR.Bits()) - keptByEC2
	for a := range v.owners {
		if s.spec.CIDR.Contains(a) {
			free--
		}
	}
	for p := range v.blocks {
		if s.spec.CIDR.Contains(p.Addr()) {
			free -= 1 << (32 - topology.PrefixBitsIPv4)
		}
	}
	return Subnet{
		Name: s.spec.Name, ID: s.spec.ID, VPCID: v.topo.VPC.ID, OwnerID: v.topo.Account, Zone: s.spec.Zone,
		CIDR: s.spec.CIDR, IPv6: s.spec.IPv6, Available: free, Tags: maps.Clone(s.tags),
	}
}

// attribute is what a subnet has under a filter of DescribeSubnets.
func (s Subnet) attribute(name string) ([]string, bool) {
	switch name {
	case "subnet-id":
		return []string{s.ID}, true
	case "vpc-id":
		return []string{s.VPCID}, true
	case "availability-zone", "availabilityZone":
		return []string{s.Zone}, true
	case "cidr-block", "cidr", "cidrBlock":
		return []string{s.CIDR.String()}, true
	case "ipv6-cidr-block-association.ipv6-cidr-block":
		return []string{s.IPv6.String()}, true
	case "owner-id":
		return []string{s.OwnerID}, true
	case "state":
		return []string{"available"}, true
	default:
		return nil, false
	}
}

// DescribeSubnetsOutput is one page of subnets.
type DescribeSubnetsOutput struct {
	Subnets   []Subnet
	NextToken string
}

// DescribeSubnets is the EC2 action. The order is that of the topology.
func (v *VPC) DescribeSubnets(ctx context.Context, in DescribeInput) (DescribeSubnetsOutput, error) {
	return serve(ctx, v, request{action: "DescribeSubnets", dryRun: in.DryRun}, func() (out DescribeSubnetsOutput, _ *Error) {
		if err := pageOrIDs("subnetIds", in.IDs, in.MaxResults); err != nil {
			return out, err
		}
		for _, id := range in.IDs {
			if v.subnets[id] == nil {
				return out, errSubnetNotFound(id)
			}
		}
		var all []Subnet
		for _, s := range v.topo.Subnets {
			if len(in.IDs) == 0 || slices.Contains(in.IDs, s.ID) {
				all = append(all, v.viewSubnet(v.subnets[s.ID]))
			}
		}
		all, err := keep(all, in.Filters, Subnet.attribute, func(s Subnet) map[string]string { return s.Tags })
		if err != nil {
			return out, err
		}
		out.Subnets, out.NextToken, err = page(all, func(s Subnet) string { return s.ID }, in.MaxResults, in.NextToken)
		return out, err
	})
}

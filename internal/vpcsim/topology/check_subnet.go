// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Sizes that EC2 allows. Source: VPC user guide, subnet CIDR blocks.
const (
	minSubnetBits  = 16
	maxSubnetBits  = 28
	ipv6SubnetBits = 64
)

func (c *checker) subnet(path string, s Subnet, t Topology) {
	_, taken := c.subnets[s.Name]
	c.name(path, s.Name, taken)
	c.id(path+".id", "subnet", s.ID)
	if !strings.HasPrefix(s.Zone, t.Region) || s.Zone == t.Region {
		c.report(path+".zone", fmt.Sprintf("%q is not a zone of %s", s.Zone, t.Region), "write for example "+t.Region+"a")
	}
	if c.canonical(path+".cidr", s.CIDR) {
		switch {
		case !s.CIDR.Addr().Is4() || s.CIDR.Bits() < minSubnetBits || s.CIDR.Bits() > maxSubnetBits:
			c.report(path+".cidr", fmt.Sprintf("%s is not a subnet's IPv4 block", s.CIDR), "write an IPv4 block of /16 to /28")
		default:
			c.placed(path+".cidr", s.CIDR, t)
		}
	}
	if s.IPv6.IsValid() && c.canonical(path+".ipv6", s.IPv6) {
		switch {
		case s.IPv6.Addr().Is4() || s.IPv6.Bits() != ipv6SubnetBits:
			c.report(path+".ipv6", fmt.Sprintf("%s is not a subnet's IPv6 block", s.IPv6), "write an IPv6 block of /64")
		default:
			c.placed(path+".ipv6", s.IPv6, t)
		}
	}
	for i, r := range s.Reservations {
		c.reservation(at(path+".reservations", i), i, r, s)
	}
	if !c.tables[s.RouteTable] {
		c.report(path+".route-table", fmt.Sprintf("there is no route table %q", s.RouteTable), "add it to route-tables, or leave it out")
	}
	if s.Name != "" && !taken {
		c.subnets[s.Name] = s
	}
}

// placed reports a subnet's block that lies outside of the VPC or overlaps
// that of a subnet before it.
func (c *checker) placed(path string, p netip.Prefix, t Topology) {
	if !slices.ContainsFunc(t.VPC.CIDRs, func(v netip.Prefix) bool { return Covers(v, p) }) {
		c.report(path, fmt.Sprintf("%s is outside of the VPC's blocks %v", p, t.VPC.CIDRs), "choose a block inside, or add one to vpc.cidrs")
	}
	for _, other := range t.Subnets {
		if _, before := c.subnets[other.Name]; !before {
			continue
		}
		for _, q := range []netip.Prefix{other.CIDR, other.IPv6} {
			if q.IsValid() && q.Overlaps(p) {
				c.report(path, fmt.Sprintf("%s overlaps %s of subnet %s", p, q, other.Name), "give each subnet its own block")
			}
		}
	}
}

func (c *checker) reservation(path string, i int, r Reservation, s Subnet) {
	if r.Type != ReservationExplicit && r.Type != ReservationPrefix {
		c.report(path+".type", fmt.Sprintf("%q is not a type of reservation", r.Type), "write explicit or prefix")
	}
	if !c.canonical(path+".cidr", r.CIDR) {
		return
	}
	if !Covers(s.CIDR, r.CIDR) && !Covers(s.IPv6, r.CIDR) {
		c.report(path+".cidr", fmt.Sprintf("%s is outside of subnet %s", r.CIDR, s.Name), "choose a block inside of it")
	}
	for _, q := range s.Reservations[:i] {
		if q.CIDR.IsValid() && q.CIDR.Overlaps(r.CIDR) {
			c.report(path+".cidr", fmt.Sprintf("%s overlaps the reservation %s", r.CIDR, q.CIDR), "remove one of the two")
		}
	}
}

func (c *checker) routes(path string, table RouteTable, v VPC) {
	seen := map[netip.Prefix]bool{}
	for i, r := range table.Routes {
		p := at(path, i)
		if c.canonical(p+".destination", r.Destination) {
			if slices.ContainsFunc(v.CIDRs, func(q netip.Prefix) bool {
				return Covers(q, r.Destination)
			}) {
				c.report(p+".destination", fmt.Sprintf("%s lies inside of the VPC", r.Destination), "route blocks outside of it; inside, addresses belong to ENIs")
			}
			if seen[r.Destination] {
				c.report(p+".destination", fmt.Sprintf("%s has a route already", r.Destination), "remove one of the two")
			}
			seen[r.Destination] = true
		}
		if _, ok := c.enis[r.ENI]; !ok {
			c.report(p+".eni", fmt.Sprintf("there is no ENI %q", r.ENI), "write the name of an ENI of a worker")
		}
	}
}

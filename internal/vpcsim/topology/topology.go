// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package topology

import "net/netip"

// A Topology is one embedded VPC with everything in it.
type Topology struct {
	// Region is the AWS Region, such as "eu-central-1", which is the default.
	Region string `yaml:"region"`
	// Account is the 12 digits of the account that owns everything.
	Account     string       `yaml:"account"`
	VPC         VPC          `yaml:"vpc"`
	Subnets     []Subnet     `yaml:"subnets"`
	RouteTables []RouteTable `yaml:"route-tables"`
	Workers     []Worker     `yaml:"workers"`
	Pods        []Pod        `yaml:"pods"`
	EC2         EC2          `yaml:"ec2"`
	IMDS        IMDS         `yaml:"imds"`
	Assumptions Assumptions  `yaml:"assumptions"`
}

// A VPC is the network that all subnets lie in.
type VPC struct {
	// ID is "vpc-…"; derived when empty.
	ID string `yaml:"id"`
	// CIDRs are the blocks of both families.
	CIDRs []netip.Prefix `yaml:"cidrs"`
}

// A Subnet is one subnet of the VPC, in one zone.
type Subnet struct {
	Name string `yaml:"name"`
	// ID is "subnet-…"; derived from Name when empty.
	ID string `yaml:"id"`
	// Zone is the availability zone, such as "eu-central-1a".
	Zone string `yaml:"zone"`
	// CIDR is the IPv4 block, /16 to /28.
	CIDR netip.Prefix `yaml:"cidr"`
	// IPv6 is the IPv6 block, /64; not valid when the subnet has none.
	IPv6         netip.Prefix      `yaml:"ipv6"`
	Reservations []Reservation     `yaml:"reservations"`
	Tags         map[string]string `yaml:"tags"`
	// RouteTable names one of Topology.RouteTables; "" is the main one.
	RouteTable string `yaml:"route-table"`
}

// A Reservation is a subnet CIDR reservation: EC2 never chooses addresses
// from it for a request that names none.
type Reservation struct {
	CIDR netip.Prefix `yaml:"cidr"`
	// Type is "explicit" (the default) or "prefix".
	Type        string `yaml:"type"`
	Description string `yaml:"description"`
}

// A RouteTable is a table that subnets refer to by name. The route to the
// VPC's own blocks is always there and is not listed.
type RouteTable struct {
	Name string `yaml:"name"`
	// ID is "rtb-…"; derived from Name when empty.
	ID     string            `yaml:"id"`
	Routes []Route           `yaml:"routes"`
	Tags   map[string]string `yaml:"tags"`
}

// A Route leads a block outside of the VPC to an ENI.
type Route struct {
	Destination netip.Prefix `yaml:"destination"`
	// ENI is the topology name of the target.
	ENI string `yaml:"eni"`
}

// MainRouteTable is the name of the route table that subnets have which name
// none. It exists in every complete Topology.
const MainRouteTable = "main"

// Kinds of subnet CIDR reservations. Source: CreateSubnetCidrReservation.
const (
	ReservationExplicit = "explicit"
	ReservationPrefix   = "prefix"
)

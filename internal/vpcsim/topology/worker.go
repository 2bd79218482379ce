// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package topology

import "net/netip"

// A Worker is an EC2 instance that pods run on.
type Worker struct {
	Name string `yaml:"name"`
	// InstanceID is "i-…"; derived from Name when empty.
	InstanceID string `yaml:"id"`
	// Type is the instance type; it decides the limits below where they are 0.
	Type string `yaml:"type"`
	// HopLimit is the IP TTL of the answer to an IMDSv2 token request: 1 keeps
	// pods out, 2 (the default) lets them in.
	HopLimit int `yaml:"hop-limit"`
	// PodCIDR is where the pods' eth0 addresses come from.
	PodCIDR netip.Prefix `yaml:"pod-cidr"`
	// IPv4PerENI and IPv6PerENI override the limits of Type; the primary
	// address counts.
	IPv4PerENI int `yaml:"ipv4-per-eni"`
	IPv6PerENI int `yaml:"ipv6-per-eni"`
	// MaxENIs overrides how many ENIs Type may have.
	MaxENIs int `yaml:"max-enis"`
	// Role is the instance role whose credentials IMDS hands out; derived from
	// Name when empty.
	Role string `yaml:"role"`
	// Machine is what the worker runs on: MachineNamespace (the default) or
	// MachineVM.
	Machine string `yaml:"machine"`
	ENIs    []ENI  `yaml:"enis"`
}

// What a worker can run on.
const (
	// MachineNamespace is a network namespace of this machine's kernel, with
	// the ENIs as its devices.
	MachineNamespace = "namespace"
	// MachineVM is a virtual machine that somebody else starts: the VPC has a
	// tap device for each of its NICs. Its pods are its own and are not in
	// Topology.Pods.
	MachineVM = "vm"
)

// An ENI is a network interface attached to a worker.
type ENI struct {
	Name string `yaml:"name"`
	// ID is "eni-…"; derived from Name when empty.
	ID string `yaml:"id"`
	// MAC is in lower case with colons; derived from Name when empty.
	MAC string `yaml:"mac"`
	// Index is the device index; 0 is the primary ENI.
	Index int `yaml:"index"`
	// Subnet is the topology name of the subnet.
	Subnet string `yaml:"subnet"`
	// IP is the primary private IPv4 address.
	IP netip.Addr `yaml:"ip"`
	// IPv6 are addresses assigned from the start.
	IPv6 []netip.Addr `yaml:"ipv6"`
	// PrimaryIPv6 makes the first of IPv6 the primary IPv6 address, which
	// cannot be unassigned.
	PrimaryIPv6 bool `yaml:"primary-ipv6"`
	// Secondary are secondary private IPv4 addresses from the start.
	Secondary []netip.Addr `yaml:"secondary"`
	// Prefixes are delegated prefixes, /28 or /80.
	Prefixes    []netip.Prefix    `yaml:"prefixes"`
	Tags        map[string]string `yaml:"tags"`
	Description string            `yaml:"description"`
	// NoSourceDestCheck lets the ENI send from, and be a route's target for,
	// addresses that are not its own.
	NoSourceDestCheck bool `yaml:"no-source-dest-check"`
}

// A Pod is a network namespace on a worker. It always has eth0 in the worker's
// pod CIDR; Interfaces are what it has besides, and may be empty.
type Pod struct {
	Name       string      `yaml:"name"`
	Worker     string      `yaml:"worker"`
	Interfaces []Interface `yaml:"interfaces"`
}

// An Interface is what Multus adds to a pod: an ipvlan interface on an ENI.
type Interface struct {
	// Name is the interface's name in the pod, such as "net1".
	Name string `yaml:"name"`
	// ENI is the topology name of the ENI below.
	ENI string `yaml:"eni"`
	// Addresses are set from the start, with the prefix length that the
	// interface gives them. They need not lie in the ENI's subnet: wrong
	// ranges happen, and floating IPs outside of the VPC are legitimate.
	Addresses []netip.Prefix `yaml:"addresses"`
	// Routes are blocks outside of the VPC that the pod reaches by this
	// interface, through the subnet's router: what "routes" are in the IPAM of
	// a NetworkAttachmentDefinition.
	Routes []netip.Prefix `yaml:"routes"`
}

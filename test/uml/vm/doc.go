// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package vm has the tests that run inside of a virtual machine whose NICs are
// ENIs of the embedded VPC. They have the build tag guest, and run in User-Mode
// Linux: go test -run VirtualMachine ./internal/vpcsim
package vm

import "time"

// What the host and the guest agree on.
const (
	// PodIPv4 and PodIPv6 are a pod's on another worker, in the subnet of the
	// machine's second ENI. It echoes what is sent to EchoPort over TCP, and
	// answers pings.
	PodIPv4, PodIPv6 = "10.0.1.103", "2001:db8:0:1::103"
	EchoPort         = "7000"
	// PlugFile and UnplugFile are the names of files that the guest makes in
	// Share when it wants its third NIC, and when it is rid of it.
	PlugFile, UnplugFile = "plug", "unplug"
	// Plugs is how often.
	Plugs = 2
	// Patience is far more than a slow guest takes for a step.
	Patience = 30 * time.Second
)

// Topology is the VPC: the machine is the worker vm1.
const Topology = `
vpc: {cidrs: [10.0.0.0/16, "2001:db8:0:0::/56"]}
subnets:
- {name: node, cidr: 10.0.0.0/24, ipv6: "2001:db8::/64"}
- {name: sig, cidr: 10.0.1.0/24, ipv6: "2001:db8:0:1::/64"}
workers:
- name: vm1
  machine: vm
  enis:
  - {name: v1-node, index: 0, subnet: node, ip: 10.0.0.21}
  - {name: v1-sig, index: 1, subnet: sig, ip: 10.0.1.21}
  - {name: v1-late, index: 2, subnet: sig, ip: 10.0.1.31}
- name: worker2
  pod-cidr: 100.64.2.0/24
  enis:
  - {name: w2-node, index: 0, subnet: node, ip: 10.0.0.12}
  - {name: w2-sig, index: 1, subnet: sig, ip: 10.0.1.12, secondary: [10.0.1.103], ipv6: ["2001:db8:0:1::103"]}
pods:
- {name: b, worker: worker2, interfaces: [{name: net1, eni: w2-sig, addresses: [10.0.1.103/24, "2001:db8:0:1::103/64"]}]}
`

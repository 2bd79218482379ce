// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/netip"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// A kind is how the VPC delivers the floating IPs.
type kind struct {
	name string
	// addresses are the floating IPs, IPv4 first. The example's keepalived
	// configuration has those of the kind secondary; they are replaced.
	addresses [2]netip.Addr
	// world changes the VPC, sidecar are the registrar's further arguments.
	world   func(*topology.Topology)
	sidecar []string
	// holder is the name of the ENI that the VPC delivers an address to; ""
	// where there is none.
	holder func(*model.VPC, netip.Addr) string
}

// secondary are secondary addresses of an ENI, within one subnet.
var secondary = kind{
	name:      "secondary",
	addresses: [2]netip.Addr{netip.MustParseAddr("10.0.3.80"), netip.MustParseAddr("2001:db8:0:3:1::80")},
	world:     func(*topology.Topology) {},
	holder: func(v *model.VPC, a netip.Addr) string {
		e, _ := v.Owner(a)
		return e.Name
	},
}

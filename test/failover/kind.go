// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	_ "embed"
	"net/netip"
	"slices"
	"strings"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

//go:embed world.yaml
var worldYAML []byte

//go:embed zones.yaml
var zonesYAML []byte

// A kind is how the VPC delivers the floating IPs.
type kind struct {
	name string
	// world is the VPC.
	world []byte
	// addresses are the floating IPs, IPv4 first.
	addresses [2]netip.Addr
	// ways are how clients reach them, IPv4 and IPv6 by turns.
	ways []way
	// config are the changes to the example's keepalived configuration: what
	// stands there, and what is to stand there.
	config [][2]string
	// sidecar are the registrar's further arguments.
	sidecar []string
}

// secondary are secondary addresses of an ENI, within one subnet: those of the
// example.
var secondary = kind{
	name:      "secondary",
	world:     worldYAML,
	addresses: [2]netip.Addr{secondary4, secondary6},
	ways:      []way{{addr: secondary4, from: "client"}, {addr: secondary6, from: "client"}},
}

// routes lie outside of the VPC: each is a route to the active pod's ENI in the
// route tables of two zones, with one of the pair and a client in each zone.
var routes = kind{
	name:      "routes",
	world:     zonesYAML,
	addresses: [2]netip.Addr{outside4, outside6},
	ways: []way{
		{addr: outside4, from: "client-a", table: zoneA}, {addr: outside6, from: "client-a", table: zoneA},
		{addr: outside4, from: "client-b", table: zoneB}, {addr: outside6, from: "client-b", table: zoneB},
	},
	config: [][2]string{
		{"10.0.3.80/24 dev", "198.51.100.10/32 dev"},
		{"from 10.0.3.80/32", "from 198.51.100.10/32"},
		{"2001:db8:0:3:1::80/64", "2001:db8:f::10/128"},
		{"10.0.3.71", "10.0.9.71"},
		{"to 0.0.0.0/0 via 10.0.3.1 dev net1 table 51",
			"@a to 0.0.0.0/0 via 10.0.3.1 dev net1 table 51\n@b to 0.0.0.0/0 via 10.0.9.1 dev net1 table 51"},
	},
	sidecar: []string{"--route-tables=" + strings.Join([]string{tableID(zoneA), tableID(zoneB)}, ",")},
}

var (
	secondary4, secondary6 = netip.MustParseAddr("10.0.3.80"), netip.MustParseAddr("2001:db8:0:3:1::80")
	outside4, outside6     = netip.MustParseAddr("198.51.100.10"), netip.MustParseAddr("2001:db8:f::10")
)

// The route tables of zones.yaml.
const (
	zoneA = "zone-a"
	zoneB = "zone-b"
)

func tableID(name string) string { return topology.DeriveID("rtb", name) }

// clients are the pods that send packets.
func (k kind) clients() []string {
	var names []string
	for _, w := range k.ways {
		if !slices.Contains(names, w.from) {
			names = append(names, w.from)
		}
	}
	return names
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vswitch

import "net/netip"

// VPC is the state of EC2, as far as packets are concerned. Its methods are
// called for each packet, from several goroutines at once.
type VPC interface {
	// Deliver returns the id of the ENI that a packet for dst is handed to
	// when the ENI fromENI sends it; ok is false when nobody owns dst.
	Deliver(fromENI string, dst netip.Addr) (eniID string, ok bool)
	// Undelivered says why Deliver was not ok: the text of a Reason that
	// says so of itself.
	Undelivered(fromENI string, dst netip.Addr) string
	// Permits reports whether the ENI may send from src.
	Permits(eniID string, src netip.Addr) bool
}

// RouterLinkLocal is the IPv6 address of every subnet's router.
// Source: VPC user guide, "Subnet CIDR blocks", default gateway FE80:EC2::1.
var RouterLinkLocal = netip.MustParseAddr("fe80:ec2::1")

// A MAC is an Ethernet address. It is an array so that it can be compared.
type MAC [6]byte

// An ENI is what the switch has to know of a network interface.
type ENI struct {
	// ID is what VPC calls the interface.
	ID  string
	MAC MAC
	// Subnet is any string that is the same for two ENIs of one subnet.
	Subnet string
	// RouterMAC is the MAC address of the subnet's router.
	RouterMAC MAC
	// Routers are the router's addresses in the subnet, such as the first
	// address of its IPv4 block. RouterLinkLocal is understood.
	Routers []netip.Addr
}

// A Role says which end of an ENI a port leads to.
type Role int

const (
	// Master is the worker's own device. Real ipvlan devices hide behind it,
	// and then the worker's kernel switches between them.
	Master Role = iota
	// Slave is a pod's device on a kernel without ipvlan. The switch then
	// does between the ports of one ENI what ipvlan in mode l2 would do.
	Slave
)

// A Port carries Ethernet frames to and from one network card: a tap device,
// or the socket of a virtual machine.
type Port interface {
	// ReadFrame waits for a frame and returns its length. After Close it
	// returns an error.
	ReadFrame(buf []byte) (int, error)
	// WriteFrame may be called from several goroutines at once.
	WriteFrame(frame []byte) error
	Close() error
}

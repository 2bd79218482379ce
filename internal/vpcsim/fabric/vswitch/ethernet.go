// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vswitch

import (
	"encoding/binary"
	"net/netip"
)

// Offsets and numbers of Ethernet II, IPv4 (RFC 791) and IPv6 (RFC 8200).
const (
	ethernetLen = 14
	ipv4Len     = 20
	ipv6Len     = 40

	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherIPv6 = 0x86dd

	protocolICMPv6 = 58
)

// A frame is an Ethernet frame of at least ethernetLen bytes.
type frame []byte

func (f frame) destination() MAC { return MAC(f[0:6]) }
func (f frame) source() MAC      { return MAC(f[6:12]) }
func (f frame) etherType() int   { return int(binary.BigEndian.Uint16(f[12:14])) }
func (f frame) payload() []byte  { return f[ethernetLen:] }

func (f frame) readdress(dst, src MAC) {
	copy(f[0:6], dst[:])
	copy(f[6:12], src[:])
}

// multicast reports whether m is a group address; broadcast is one.
func (m MAC) multicast() bool { return m[0]&1 != 0 }

// addresses returns the source and destination of the IP packet in f; ok is
// false when there is none.
func (f frame) addresses() (src, dst netip.Addr, ok bool) {
	p := f.payload()
	switch {
	case f.etherType() == etherIPv4 && len(p) >= ipv4Len && p[0]>>4 == 4:
		return netip.AddrFrom4([4]byte(p[12:16])), netip.AddrFrom4([4]byte(p[16:20])), true
	case f.etherType() == etherIPv6 && len(p) >= ipv6Len && p[0]>>4 == 6:
		return netip.AddrFrom16([16]byte(p[8:24])), netip.AddrFrom16([16]byte(p[24:40])), true
	}
	return src, dst, false
}

// newFrame returns a frame with room for a payload of the given length.
func newFrame(dst, src MAC, etherType, payload int) frame {
	f := make(frame, ethernetLen+payload)
	f.readdress(dst, src)
	binary.BigEndian.PutUint16(f[12:14], uint16(etherType))
	return f
}

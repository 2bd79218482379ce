// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vswitch

import (
	"encoding/binary"
	"net/netip"
)

// Neighbour discovery (RFC 4861).
const (
	ndpSolicitation  = 135
	ndpAdvertisement = 136
	ndpHopLimit      = 255 // proof that no router was passed
	ndpSolicitLen    = 24  // type, code, checksum, reserved, target
	ndpAdvertiseLen  = 32  // the same with the option below

	ndpOptionTargetMAC = 2

	ndpFlagRouter    = 0x80
	ndpFlagSolicited = 0x40
	ndpFlagOverride  = 0x20
)

var allNodes = netip.MustParseAddr("ff02::1")

// parseSolicitation returns who asks and for what; ok is false for anything
// but a neighbour solicitation. The sender of duplicate address detection is
// the unspecified address.
func parseSolicitation(f frame) (sender, target netip.Addr, ok bool) {
	sender, _, ok = f.addresses()
	p := f.payload()
	if !ok || !sender.Is6() || len(p) < ipv6Len+ndpSolicitLen || p[6] != protocolICMPv6 || p[7] != ndpHopLimit ||
		p[ipv6Len] != ndpSolicitation {
		return sender, target, false
	}
	return sender, netip.AddrFrom16([16]byte(p[ipv6Len+8 : ipv6Len+24])), true
}

// answerSolicitation returns the advertisement to the solicitation in f, which
// came from sender: target is at mac.
func answerSolicitation(f frame, sender, target netip.Addr, mac MAC, router bool) frame {
	flags := byte(ndpFlagSolicited | ndpFlagOverride)
	if sender.IsUnspecified() {
		sender, flags = allNodes, ndpFlagOverride
	}
	if router {
		flags |= ndpFlagRouter
	}
	r := newFrame(f.source(), mac, etherIPv6, ipv6Len+ndpAdvertiseLen)
	p := r.payload()
	p[0] = 6 << 4
	binary.BigEndian.PutUint16(p[4:6], ndpAdvertiseLen)
	p[6], p[7] = protocolICMPv6, ndpHopLimit
	copy(p[8:24], target.AsSlice())
	copy(p[24:40], sender.AsSlice())
	icmp := p[ipv6Len:]
	icmp[0], icmp[4] = ndpAdvertisement, flags
	copy(icmp[8:24], target.AsSlice())
	icmp[24], icmp[25] = ndpOptionTargetMAC, 1
	copy(icmp[26:32], mac[:])
	binary.BigEndian.PutUint16(icmp[2:4], checksumICMPv6(p))
	return r
}

// checksumICMPv6 returns the checksum of the ICMPv6 message in the IPv6 packet
// p, whose checksum field is zero (RFC 4443, 2.3).
func checksumICMPv6(p []byte) uint16 {
	sum := uint32(len(p)-ipv6Len) + protocolICMPv6
	for i := 8; i+1 < len(p); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(p[i : i+2]))
	}
	if len(p)%2 == 1 {
		sum += uint32(p[len(p)-1]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

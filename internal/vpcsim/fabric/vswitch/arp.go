// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vswitch

import (
	"encoding/binary"
	"net/netip"
)

// ARP for IPv4 over Ethernet (RFC 826): 28 bytes, the operation at 6, then
// sender MAC, sender IP, target MAC and target IP.
const (
	arpLen     = 28
	arpRequest = 1
	arpReply   = 2
)

var arpHeader = [6]byte{0, 1, 0x08, 0, 6, 4}

// parseARP returns who asks and for what; ok is false for anything but a
// request. Replies and gratuitous announcements move nothing in a VPC.
func parseARP(f frame) (sender, target netip.Addr, ok bool) {
	p := f.payload()
	if len(p) < arpLen || [6]byte(p[:6]) != arpHeader || binary.BigEndian.Uint16(p[6:8]) != arpRequest {
		return sender, target, false
	}
	sender, target = netip.AddrFrom4([4]byte(p[14:18])), netip.AddrFrom4([4]byte(p[24:28]))
	return sender, target, sender != target
}

// answerARP returns the reply to the request in f: target is at mac.
func answerARP(f frame, mac MAC) frame {
	ask := f.payload()
	r := newFrame(f.source(), mac, etherARP, arpLen)
	p := r.payload()
	copy(p, arpHeader[:])
	binary.BigEndian.PutUint16(p[6:8], arpReply)
	copy(p[8:14], mac[:])
	copy(p[14:18], ask[24:28])
	copy(p[18:28], ask[8:18])
	return r
}

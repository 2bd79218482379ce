// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
)

const (
	// pingInterval is the pause between two requests.
	pingInterval = 100 * time.Millisecond
	// moreRounds are sent after the first answer: that may have waited for ARP.
	moreRounds = 3
	// settling is the time between two looks whether the source's address is there.
	settling = 10 * time.Millisecond
)

// Ping sends ICMP echo requests from one address to another until one is
// answered, for a while. It returns the shortest round trip; ok is false when
// there was no answer at all. id must be new: it tells this ping's
// answers from those of others.
func Ping(ctx context.Context, from *netspace.Namespace, src, dst netip.Addr, id uint16, within time.Duration) (rtt time.Duration, ok bool, err error) {
	network, request, reply := "ip4:icmp", byte(8), byte(0) // RFC 792
	if dst.Is6() {
		network, request, reply = "ip6:ipv6-icmp", 128, 129 // RFC 4443
	}
	end := time.Now().Add(within)
	c, err := from.ListenPacket(ctx, network, src.String())
	for errors.Is(err, unix.EADDRNOTAVAIL) && time.Now().Before(end) { // not there yet, or tentative
		time.Sleep(settling)
		c, err = from.ListenPacket(ctx, network, src.String())
	}
	if err != nil {
		return 0, false, fmt.Errorf("ping from %s in %s: %w", src, from.Name, err)
	}
	defer c.Close()
	left := moreRounds
	for seq := uint16(1); ctx.Err() == nil && (!ok && time.Now().Before(end) || ok && left > 0); seq++ {
		sent := time.Now()
		if _, err := c.WriteTo(echoRequest(request, id, seq), &net.IPAddr{IP: dst.AsSlice()}); err != nil {
			time.Sleep(pingInterval) // no neighbour, no route: the kernel's way to say that nothing arrives
			continue
		}
		if !pong(c, reply, dst, id, seq, sent.Add(pingInterval)) {
			continue
		}
		if took := time.Since(sent); !ok || took < rtt {
			rtt = took
		}
		if ok {
			left--
		}
		ok = true
	}
	return rtt, ok, ctx.Err()
}

// pong waits for the answer to one request.
func pong(c net.PacketConn, reply byte, dst netip.Addr, id, seq uint16, until time.Time) bool {
	_ = c.SetReadDeadline(until)
	buf := make([]byte, 1500)
	for {
		n, who, err := c.ReadFrom(buf)
		if err != nil {
			return false
		}
		if n >= 8 && buf[0] == reply && who.String() == dst.String() &&
			binary.BigEndian.Uint16(buf[4:6]) == id && binary.BigEndian.Uint16(buf[6:8]) == seq {
			return true
		}
	}
}

// echoRequest is an ICMP echo request; for IPv6 the kernel fills in the checksum.
func echoRequest(kind byte, id, seq uint16) []byte {
	m := make([]byte, 64)
	m[0] = kind
	binary.BigEndian.PutUint16(m[4:6], id)
	binary.BigEndian.PutUint16(m[6:8], seq)
	var sum uint32
	for i := 0; i < len(m); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(m[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(m[2:4], ^uint16(sum))
	return m
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
)

const (
	// patience is how long a ping may need that must succeed; it is retried.
	patience = 5 * time.Second
	// silence is how long a ping is waited for that must fail.
	silence = 300 * time.Millisecond
)

// ping sends echo requests until one is answered, and returns the round trip.
func ping(t testing.TB, from *netspace.Namespace, src, dst string, within time.Duration) (time.Duration, error) {
	t.Helper()
	network, request, reply := "ip4:icmp", byte(8), byte(0)
	if netip.MustParseAddr(dst).Is6() {
		network, request, reply = "ip6:ipv6-icmp", 128, 129
	}
	deadline := time.Now().Add(within)
	c, err := from.ListenPacket(t.Context(), network, src)
	for errors.Is(err, unix.EADDRNOTAVAIL) && time.Now().Before(deadline) { // tentative
		time.Sleep(10 * time.Millisecond)
		c, err = from.ListenPacket(t.Context(), network, src)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	to := &net.IPAddr{IP: net.ParseIP(dst)}
	buf := make([]byte, 1500)
	for seq := uint16(1); ; seq++ {
		sent := time.Now()
		if _, err := c.WriteTo(echo(request, seq), to); err != nil {
			return 0, err
		}
		_ = c.SetReadDeadline(sent.Add(100 * time.Millisecond))
		for {
			n, who, err := c.ReadFrom(buf)
			if err != nil {
				if !errors.Is(err, os.ErrDeadlineExceeded) || time.Now().After(deadline) {
					return 0, err
				}
				break
			}
			if n >= 8 && buf[0] == reply && who.String() == dst && binary.BigEndian.Uint16(buf[6:8]) == seq {
				return time.Since(sent), nil
			}
		}
	}
}

// echo returns an ICMP echo request; for IPv6 the kernel fills the checksum in.
func echo(kind byte, seq uint16) []byte {
	m := make([]byte, 64)
	m[0] = kind
	binary.BigEndian.PutUint16(m[4:6], 0x4d49)
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

func wantPing(t testing.TB, from *netspace.Namespace, src, dst string) {
	t.Helper()
	if rtt, err := ping(t, from, src, dst, patience); err != nil {
		t.Errorf("ping %s → %s: %v", src, dst, err)
	} else {
		t.Logf("ping %s → %s: %v", src, dst, rtt)
	}
}

func wantSilence(t testing.TB, from *netspace.Namespace, src, dst string) {
	t.Helper()
	if rtt, err := ping(t, from, src, dst, silence); err == nil {
		t.Errorf("ping %s → %s answered after %v, want silence", src, dst, rtt)
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vswitch

import (
	"encoding/binary"
	"io"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A wire is a port whose far end is the test.
type wire struct {
	up, down chan []byte // to the switch, and from it
	closed   chan struct{}
	once     sync.Once
}

func newWire() *wire {
	return &wire{up: make(chan []byte), down: make(chan []byte, 64), closed: make(chan struct{})}
}

func (w *wire) ReadFrame(buf []byte) (int, error) {
	select {
	case f := <-w.up:
		return copy(buf, f), nil
	case <-w.closed:
		return 0, io.EOF
	}
}

func (w *wire) WriteFrame(f []byte) error {
	w.down <- append([]byte(nil), f...)
	return nil
}

func (w *wire) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}

// send gives the switch a frame, and a second one that it ignores: when that
// is taken, the first has been dealt with.
func (w *wire) send(f frame) {
	w.up <- f
	w.up <- nil
}

func (w *wire) received(t *testing.T) frame {
	t.Helper()
	select {
	case f := <-w.down:
		return f
	case <-time.After(time.Second):
		t.Fatal("nothing arrived")
		return nil
	}
}

func (w *wire) wantNothing(t *testing.T) {
	t.Helper()
	select {
	case f := <-w.down:
		t.Errorf("% x arrived, want nothing", []byte(f))
	default:
	}
}

// table is who owns which address.
type table map[netip.Addr]string

func (v table) Deliver(_ string, dst netip.Addr) (string, bool) { id, ok := v[dst]; return id, ok }
func (v table) Undelivered(string, netip.Addr) string           { return string(Unmapped) }
func (v table) Permits(eni string, src netip.Addr) bool         { return v[src] == eni }

var (
	macA      = MAC{2, 0, 0, 0, 0, 0xa}
	macB      = MAC{2, 0, 0, 0, 0, 0xb}
	macC      = MAC{2, 0, 0, 0, 0, 0xc}
	macRouter = MAC{2, 0, 0, 0, 0, 1}
	broadcast = MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// world has ENIs a and b in one subnet and c in another, with an address each:
// 10.0.1.10, 10.0.1.11 and 10.0.2.12, and 2001:db8::a to c.
func world(t *testing.T, opts Options) (s *Switch, a, b, c *wire) {
	t.Helper()
	s = New(table{
		addr("10.0.1.10"): "a", addr("10.0.1.11"): "b", addr("10.0.2.12"): "c",
		addr("2001:db8::a"): "a", addr("2001:db8::b"): "b", addr("2001:db8::c"): "c",
	}, opts)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, e := range []ENI{
		{ID: "a", MAC: macA, Subnet: "1", RouterMAC: macRouter, Routers: []netip.Addr{addr("10.0.1.1")}},
		{ID: "b", MAC: macB, Subnet: "1", RouterMAC: macRouter, Routers: []netip.Addr{addr("10.0.1.1")}},
		{ID: "c", MAC: macC, Subnet: "2", RouterMAC: macRouter, Routers: []netip.Addr{addr("10.0.2.1")}},
	} {
		if err := s.AddENI(e); err != nil {
			t.Fatal(err)
		}
	}
	return s, plug(t, s, "a", Slave), plug(t, s, "b", Slave), plug(t, s, "c", Slave)
}

func plug(t *testing.T, s *Switch, eni string, role Role) *wire {
	t.Helper()
	w := newWire()
	if _, err := s.Plug(eni, role, w); err != nil {
		t.Fatal(err)
	}
	return w
}

func ipv4(dst, src MAC, from, to string) frame {
	f := newFrame(dst, src, etherIPv4, ipv4Len+8)
	p := f.payload()
	p[0], p[8], p[9] = 0x45, 64, 17
	copy(p[12:16], addr(from).AsSlice())
	copy(p[16:20], addr(to).AsSlice())
	return f
}

func arp(src MAC, sender, target string) frame {
	f := newFrame(broadcast, src, etherARP, arpLen)
	p := f.payload()
	copy(p, arpHeader[:])
	binary.BigEndian.PutUint16(p[6:8], arpRequest)
	copy(p[8:14], src[:])
	copy(p[14:18], addr(sender).AsSlice())
	copy(p[24:28], addr(target).AsSlice())
	return f
}

func solicitation(src MAC, sender, target string) frame {
	f := newFrame(MAC{0x33, 0x33, 0xff, 0, 0, 1}, src, etherIPv6, ipv6Len+ndpSolicitLen)
	p := f.payload()
	p[0], p[5], p[6], p[7] = 6<<4, ndpSolicitLen, protocolICMPv6, ndpHopLimit
	copy(p[8:24], addr(sender).AsSlice())
	copy(p[24:40], addr("ff02::1:ff00:1").AsSlice())
	p[ipv6Len] = ndpSolicitation
	copy(p[ipv6Len+8:], addr(target).AsSlice())
	return f
}

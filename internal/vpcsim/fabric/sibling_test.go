// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/vswitch"
)

// Two pods on one ENI, a and a2 of twoWorkers, are siblings: what goes on
// between them is ipvlan's business and not the VPC's. These tests also run on
// a kernel with ipvlan (package test/uml), so that both ways are alike.

func TestSiblingsHearEachOthersMulticast(t *testing.T) {
	f, _ := start(t, Options{}) // EC2 knows none of the pods' addresses
	for _, group := range []string{"224.0.0.18", "ff02::12", "239.1.2.3"} {
		t.Run(group, func(t *testing.T) {
			sibling, stranger, master := join(t, f.Pod("a2").Namespace, "net1", group), join(t, f.Pod("b").Namespace, "net1", group), join(t, f.Worker("worker1").Namespace, "eth1", group)
			to := &net.UDPAddr{IP: net.ParseIP(group), Port: multicastPort}
			sender := sendFrom(t, f.Pod("a").Namespace, "net1", group)
			heard := false
			for end := time.Now().Add(patience); !heard && time.Now().Before(end); {
				if _, err := sender.WriteTo([]byte("advertisement"), to); err != nil {
					t.Fatal(err)
				}
				heard = hears(sibling, 100*time.Millisecond)
			}
			if !heard {
				t.Error("the sibling hears nothing")
			}
			if hears(stranger, silence) {
				t.Error("a pod on another worker hears it")
			}
			if hears(master, silence) {
				t.Error("the worker itself hears it, which it does not with ipvlan")
			}
		})
	}
	if n := f.Counters("w1-sig").Dropped[vswitch.Multicast]; n == 0 {
		t.Error("the VPC saw no multicast: with ipvlan it leaves the worker too")
	}
}

func TestSiblingsTalkWithoutLeavingTheWorker(t *testing.T) {
	f, o := start(t, Options{})
	assignAll(o)
	before := f.Counters("w1-sig")
	wantPing(t, f.Pod("a").Namespace, "10.0.1.101", "10.0.1.102")
	wantPing(t, f.Pod("a").Namespace, "2001:db8:0:1::101", "2001:db8:0:1::102")
	if after := f.Counters("w1-sig"); after.Sent != before.Sent || after.Delivered != before.Delivered {
		t.Errorf("the VPC carried %d frames, want 0", after.Sent-before.Sent+after.Delivered-before.Delivered)
	}
}

func TestSiblingsCannotHaveOneAddress(t *testing.T) {
	f, _ := start(t, Options{})
	a, a2, b := f.Pod("a"), f.Pod("a2"), f.Pod("b")
	for _, held := range []string{"10.0.1.101/24", "10.0.1.101/32", "2001:db8:0:1::101/64", "2001:db8:0:1::101/128"} {
		p := netip.MustParsePrefix(held)
		if err := a2.AddAddress("net1", p); !errors.Is(err, unix.EADDRINUSE) {
			t.Errorf("a2 adds %s of its sibling: %v, want %v", held, err, unix.EADDRINUSE)
		}
	}
	for _, floating := range []string{"10.0.1.200/32", "2001:db8:0:1::200/128"} {
		p := netip.MustParsePrefix(floating)
		if err := errors.Join(a.AddAddress("net1", p), b.AddAddress("net1", p)); err != nil {
			t.Fatalf("on two ENIs: %v", err)
		}
		if err := a2.AddAddress("net1", p); !errors.Is(err, unix.EADDRINUSE) {
			t.Errorf("a2 adds %s of its sibling: %v, want %v", p, err, unix.EADDRINUSE)
		}
		if err := errors.Join(a.DelAddress("net1", p), a2.AddAddress("net1", p)); err != nil {
			t.Errorf("handed over: %v", err)
		}
	}
	if err := a.AddAddress("net1", netip.MustParsePrefix("10.0.1.101/32")); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("a adds its own address with another length: %v, want %v", err, unix.EADDRINUSE)
	}
	if err := a.AddAddress("net1", netip.MustParsePrefix("10.0.1.101/24")); !errors.Is(err, unix.EEXIST) {
		t.Errorf("a adds its own address again: %v, want %v", err, unix.EEXIST)
	}
}

const multicastPort = 7112

// join listens for a group on one interface.
func join(t *testing.T, ns *netspace.Namespace, device, group string) (c *net.UDPConn) {
	t.Helper()
	err := ns.Run(func() error {
		i, err := net.InterfaceByName(device)
		if err == nil {
			c, err = net.ListenMulticastUDP("udp", i, &net.UDPAddr{IP: net.ParseIP(group), Port: multicastPort})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// sendFrom is a socket that sends to a group through one interface.
func sendFrom(t *testing.T, ns *netspace.Namespace, device, group string) net.PacketConn {
	t.Helper()
	network, local := "udp4", "10.0.1.101:0"
	if net.ParseIP(group).To4() == nil {
		network, local = "udp6", "[2001:db8:0:1::101]:0"
	}
	c, err := ns.ListenPacket(t.Context(), network, local)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	raw, err := c.(syscall.Conn).SyscallConn()
	if err == nil {
		var inner error
		err = errors.Join(raw.Control(func(fd uintptr) { inner = unix.BindToDevice(int(fd), device) }), inner)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func hears(c net.PacketConn, within time.Duration) bool {
	_ = c.SetReadDeadline(time.Now().Add(within))
	n, _, err := c.ReadFrom(make([]byte, 64))
	return err == nil && n > 0
}

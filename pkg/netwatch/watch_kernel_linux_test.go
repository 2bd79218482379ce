// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"slices"
	"testing"

	"github.com/vishvananda/netlink"
)

const testMAC = "02:00:00:00:00:01"

func TestWatchAddressesComeAndGo(t *testing.T) {
	for _, prefix := range []string{"10.0.0.1/24", "2001:db8::1/64", "fd00::1/128"} {
		t.Run(prefix, func(t *testing.T) {
			n := newTestNamespace(t)
			net1 := n.addVeth(t, "net1", "net1p", testMAC)
			w := watch(t, n.watcher(t, Options{}))
			w.until(t, "net1")
			must(t, n.AddrAdd(net1, addr(t, prefix)))
			w.until(t, "net1", prefix)
			must(t, n.AddrDel(net1, addr(t, prefix)))
			w.until(t, "net1")
		})
	}
}

func TestWatchSeesPrefixLengthChange(t *testing.T) {
	n := newTestNamespace(t)
	net1 := n.addVeth(t, "net1", "net1p", testMAC)
	w := watch(t, n.watcher(t, Options{}))
	must(t, n.AddrAdd(net1, addr(t, "10.0.0.1/24")))
	w.until(t, "net1", "10.0.0.1/24")
	must(t, n.AddrAdd(net1, addr(t, "10.0.0.1/16")))
	must(t, n.AddrDel(net1, addr(t, "10.0.0.1/24")))
	w.until(t, "net1", "10.0.0.1/16")
}

func TestWatchReportsLocalAddressOfPointToPoint(t *testing.T) {
	n := newTestNamespace(t)
	net1 := n.addVeth(t, "net1", "net1p", testMAC)
	for _, pair := range [][2]string{{"10.0.0.1/32", "10.0.0.2/24"}, {"2001:db8::1/128", "2001:db8::2/64"}} {
		a, peer := addr(t, pair[0]), addr(t, pair[1])
		a.Peer = peer.IPNet
		must(t, n.AddrAdd(net1, a))
	}
	w := watch(t, n.watcher(t, Options{}))
	w.until(t, "net1", "10.0.0.1/32", "2001:db8::1/128")
}

func TestWatchLinks(t *testing.T) {
	n := newTestNamespace(t)
	w := watch(t, n.watcher(t, Options{}))
	first := w.untilTrue(t, "there is only lo", func(s Snapshot) bool { return len(s.Interfaces) == 1 })
	if want := (Interface{Name: "lo", Index: 1, Loopback: true}); !first.Interfaces[0].Equal(want) {
		t.Errorf("a new namespace has %+v, want %+v", first.Interfaces[0], want)
	}

	net1 := n.addVeth(t, "net1", "net1p", testMAC)
	must(t, n.AddrAdd(net1, addr(t, "10.0.0.1/24")))
	want := Interface{Name: "net1", Index: net1.Attrs().Index, MAC: testMAC, Kind: "veth", Up: true, Prefixes: prefixes("10.0.0.1/24")}
	is := func(s Snapshot) bool {
		return slices.ContainsFunc(s.Interfaces, want.Equal)
	}
	w.untilTrue(t, "net1 is up with its address", is)

	must(t, n.LinkSetDown(net1))
	want.Up = false
	w.untilTrue(t, "net1 is down and keeps its address", is)

	must(t, n.LinkSetName(net1, "n3"))
	want.Name = "n3"
	w.untilTrue(t, "net1 is renamed", is)

	want.MAC = "02:00:00:00:00:02"
	must(t, n.LinkSetHardwareAddr(net1, parseMAC(t, want.MAC)))
	w.untilTrue(t, "n3 has another MAC address", is)

	must(t, n.LinkDel(net1))
	w.untilTrue(t, "n3 is gone", func(s Snapshot) bool { return !hasInterface(s, "n3") })
}

func TestWatchLeavesLoopbackAndLinkLocalOut(t *testing.T) {
	n := newTestNamespace(t)
	must(t, n.LinkSetUp(n.link(t, "lo"))) // brings 127.0.0.1 and ::1
	net1 := n.addVeth(t, "net1", "net1p", testMAC)
	for _, prefix := range []string{"169.254.1.1/16", "fe80::1/64", "10.0.0.1/24"} {
		must(t, n.AddrAdd(net1, addr(t, prefix)))
	}
	must(t, n.AddrAdd(n.link(t, "lo"), addr(t, "10.9.9.9/32")))
	s := watch(t, n.watcher(t, Options{})).until(t, "net1", "10.0.0.1/24")
	if got := prefixesOf(s, "lo"); !slices.Equal(got, []string{"10.9.9.9/32"}) {
		t.Errorf("lo has %v, want 10.9.9.9/32 only", got)
	}
}

// The own namespace needs no path; a tun has no MAC address.
func TestWatchOwnNamespace(t *testing.T) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "tun7"
	tun := &netlink.Tuntap{LinkAttrs: attrs, Mode: netlink.TUNTAP_MODE_TUN}
	own, err := Open(Options{})
	must(t, err)
	w := watch(t, own)
	must(t, netlink.LinkAdd(tun))
	t.Cleanup(func() { must(t, netlink.LinkDel(tun)) })
	must(t, netlink.AddrAdd(tun, addr(t, "10.0.0.7/24")))
	s := w.until(t, "tun7", "10.0.0.7/24")
	if got, _ := interfaceOf(s, "tun7"); got.Kind != "tun" || got.MAC != "" {
		t.Errorf("the tun is %+v, want kind tun and no MAC", got)
	}
	must(t, own.Close())
}

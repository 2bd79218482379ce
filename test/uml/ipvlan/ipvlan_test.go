// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build guest

package ipvlan

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

const (
	eniMAC = "02:00:00:00:00:e1"
	// patience is far more than a slow guest takes.
	patience = 30 * time.Second
)

// A pod is a network namespace with an ipvlan interface on the worker's ENI.
type pod struct {
	*netlink.Handle
	path string
	net1 netlink.Link
}

// newWorker makes the worker's ENI: a link with its MAC address.
func newWorker(t *testing.T) netlink.Link {
	t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.HardwareAddr = "eth1", hardware(t, eniMAC)
	check(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "router"}))
	eni, err := netlink.LinkByName("eth1")
	check(t, err)
	t.Cleanup(func() {
		if _, err := netlink.LinkByName("eth1"); err == nil {
			check(t, netlink.LinkDel(eni))
		}
	})
	check(t, netlink.LinkSetUp(eni))
	return eni
}

// newPod does what the ipvlan CNI plugin does by default.
func newPod(t *testing.T, eni netlink.Link) pod {
	t.Helper()
	return newPodIn(t, eni, netlink.IPVLAN_MODE_L2, netlink.IPVLAN_FLAG_BRIDGE)
}

func newPodIn(t *testing.T, eni netlink.Link, mode netlink.IPVlanMode, flag netlink.IPVlanFlag) pod {
	t.Helper()
	made := make(chan netns.NsHandle)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends here
		namespace, err := netns.New()
		if err != nil {
			t.Error(err)
		}
		made <- namespace
	}()
	namespace := <-made
	t.Cleanup(func() { check(t, namespace.Close()) })

	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex, attrs.Namespace = "net1", eni.Attrs().Index, netlink.NsFd(namespace)
	check(t, netlink.LinkAdd(&netlink.IPVlan{LinkAttrs: attrs, Mode: mode, Flag: flag}))
	handle, err := netlink.NewHandleAt(namespace, unix.NETLINK_ROUTE)
	check(t, err)
	t.Cleanup(handle.Close)
	net1, err := handle.LinkByName("net1")
	check(t, err)
	return pod{handle, "/proc/self/fd/" + strconv.Itoa(int(namespace)), net1}
}

func (p pod) snapshots(t *testing.T) <-chan netwatch.Snapshot {
	t.Helper()
	w, err := netwatch.Open(netwatch.Options{Namespace: p.path})
	check(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	snapshots := make(chan netwatch.Snapshot, 1000)
	ended := make(chan error)
	go func() { ended <- w.Watch(ctx, func(s netwatch.Snapshot) { snapshots <- s }) }()
	t.Cleanup(func() {
		cancel()
		check(t, <-ended)
		check(t, w.Close())
	})
	return snapshots
}

// until waits for a snapshot where net1 is as wanted, or is gone for nil.
func until(t *testing.T, snapshots <-chan netwatch.Snapshot, want *netwatch.Interface) {
	t.Helper()
	var last netwatch.Snapshot
	for limit := time.After(patience); ; {
		select {
		case last = <-snapshots:
			at := slices.IndexFunc(last.Interfaces, func(i netwatch.Interface) bool { return i.Name == "net1" })
			if want == nil && at < 0 || want != nil && at >= 0 && last.Interfaces[at].Equal(*want) {
				return
			}
		case <-limit:
			t.Fatalf("net1 is never %+v; the last snapshot: %+v", want, last.Interfaces)
		}
	}
}

func TestWatchSeesIpvlan(t *testing.T) {
	eni := newWorker(t)
	p := newPod(t, eni)
	snapshots := p.snapshots(t)
	want := netwatch.Interface{Name: "net1", Index: p.net1.Attrs().Index, Kind: "ipvlan", MAC: eniMAC}
	until(t, snapshots, &want)

	check(t, p.LinkSetUp(p.net1))
	want.Up = true
	until(t, snapshots, &want)

	for _, prefix := range []string{"10.0.0.10/24", "2001:db8::10/64"} {
		want.Prefixes = append(want.Prefixes, netip.MustParsePrefix(prefix))
		check(t, p.AddrAdd(p.net1, address(t, prefix)))
		until(t, snapshots, &want)
	}

	// The ENI gets another MAC address, and its ipvlan interfaces with it.
	want.MAC = "02:00:00:00:00:e2"
	check(t, netlink.LinkSetHardwareAddr(eni, hardware(t, want.MAC)))
	until(t, snapshots, &want)

	// The ENI is detached.
	check(t, netlink.LinkDel(eni))
	until(t, snapshots, nil)
}

// Two pods on one ENI have one MAC address, and each its own addresses.
func TestPodsOnOneENI(t *testing.T) {
	eni := newWorker(t)
	for i, prefix := range []string{"10.0.0.10/24", "10.0.0.11/24"} {
		p := newPod(t, eni)
		check(t, p.AddrAdd(p.net1, address(t, prefix)))
		w, err := netwatch.Open(netwatch.Options{Namespace: p.path})
		check(t, err)
		s, err := w.Snapshot(t.Context())
		check(t, err)
		want := netwatch.Interface{
			Name: "net1", Index: p.net1.Attrs().Index, Kind: "ipvlan", MAC: eniMAC,
			Prefixes: []netip.Prefix{netip.MustParsePrefix(prefix)},
		}
		if !slices.ContainsFunc(s.Interfaces, want.Equal) {
			t.Errorf("pod %d has %+v, want %+v among them", i, s.Interfaces, want)
		}
		check(t, w.Close())
	}
}

func hardware(t *testing.T, text string) net.HardwareAddr {
	t.Helper()
	mac, err := net.ParseMAC(text)
	check(t, err)
	return mac
}

func address(t *testing.T, prefix string) *netlink.Addr {
	t.Helper()
	a, err := netlink.ParseAddr(prefix)
	check(t, err)
	if a.IP.To4() == nil {
		a.Flags = unix.IFA_F_NODAD
	}
	return a
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

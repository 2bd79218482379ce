// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build guest

package ipvlan

import (
	"errors"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/sibling"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

var (
	floating = netip.MustParseAddr("10.0.0.100")
	asks     = sibling.Note{Addr: floating, Standing: sibling.Nothing, Question: true}
	holds    = sibling.Note{Addr: floating, Standing: sibling.Holds}
)

// silence is many times what a datagram and its copy take.
const silence = 500 * time.Millisecond

// newENI makes a worker's link whose other end is a port of the bridge: ENIs
// that hear one another's multicast, unlike a VPC's.
func newENI(t *testing.T, bridge netlink.Link, name, mac string) netlink.Link {
	t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.HardwareAddr = name, hardware(t, mac)
	check(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: name + "-port"}))
	eni, err := netlink.LinkByName(name)
	check(t, err)
	t.Cleanup(func() { check(t, netlink.LinkDel(eni)) })
	port, err := netlink.LinkByName(name + "-port")
	check(t, err)
	check(t, netlink.LinkSetMaster(port, bridge))
	check(t, netlink.LinkSetUp(port))
	check(t, netlink.LinkSetUp(eni))
	return eni
}

func newBridge(t *testing.T) netlink.Link {
	t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "vpc"
	check(t, netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}))
	bridge, err := netlink.LinkByName("vpc")
	check(t, err)
	t.Cleanup(func() { check(t, netlink.LinkDel(bridge)) })
	check(t, netlink.LinkSetUp(bridge))
	return bridge
}

// talk begins a Conversation in the pod, on net1, as on the ENI with this MAC.
func (p pod) talk(t *testing.T, mac string) *sibling.Conversation {
	t.Helper()
	c := sibling.New(nil)
	t.Cleanup(c.Close)
	p.follow(t, c, mac)
	return c
}

// follow opens the sockets, in the pod's namespace.
func (p pod) follow(t *testing.T, c *sibling.Conversation, mac string) {
	t.Helper()
	i := netwatch.Interface{Name: "net1", Index: p.net1.Attrs().Index, Kind: "ipvlan", MAC: mac, Up: true}
	p.inside(t, func() { c.Follow([]netwatch.Interface{i}) })
}

// inside runs do in the pod's namespace.
func (p pod) inside(t *testing.T, do func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends here
		namespace, err := netns.GetFromPath(p.path)
		if err == nil {
			err = errors.Join(netns.Set(namespace), namespace.Close())
		}
		if err == nil {
			do()
		}
		done <- err
	}()
	check(t, <-done)
}

func hears(t *testing.T, who string, c *sibling.Conversation, want sibling.Note) (h sibling.Heard) {
	t.Helper()
	select {
	case h = <-c.Heard():
		if h.Link != "net1" || !slices.Equal(h.Notes, []sibling.Note{want}) {
			t.Errorf("%s hears %v, want %v", who, h, want)
		}
	case <-time.After(patience):
		t.Fatalf("%s never hears %v", who, want)
	}
	return h
}

func hearsNothing(t *testing.T, who string, c *sibling.Conversation) {
	t.Helper()
	select {
	case h := <-c.Heard():
		t.Errorf("%s hears %v, want nothing", who, h)
	case <-time.After(silence):
	}
}

// Pods on one ENI hear one another. A pod on another ENI that the network
// lets hear them takes no notice.
func TestSiblingsOnOneENI(t *testing.T) {
	const otherMAC = "02:00:00:00:00:e2"
	bridge := newBridge(t)
	one, two := newENI(t, bridge, "eth1", eniMAC), newENI(t, bridge, "eth2", otherMAC)
	pods := []pod{newPod(t, one), newPod(t, one), newPod(t, two)}
	for _, p := range pods {
		check(t, p.LinkSetUp(p.net1))
	}
	a, b, stranger := pods[0].talk(t, eniMAC), pods[1].talk(t, eniMAC), pods[2].talk(t, otherMAC)

	check(t, a.Say("net1", asks))
	question := hears(t, "b", b, asks)
	check(t, b.Answer(question, holds))
	if h := hears(t, "a", a, holds); !h.Answer {
		t.Error("the answer is not known for one")
	}
	hearsNothing(t, "a", a)
	hearsNothing(t, "b", b)
	hearsNothing(t, "a pod on another ENI", stranger)

	// It is the MAC address that tells it apart: the words do reach it.
	pods[2].follow(t, stranger, eniMAC)
	check(t, a.Say("net1", asks))
	hears(t, "a pod on another ENI that believes to be on this", stranger, asks)

	roundTrips(t, a, b, stranger)
}

// roundTrips measures how long an asker waits for an answer.
func roundTrips(t *testing.T, a, b, other *sibling.Conversation) {
	t.Helper()
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case h := <-b.Heard():
				if h.Notes[0].Question {
					_ = b.Answer(h, holds)
				}
			case <-other.Heard():
			case <-done:
				return
			}
		}
	}()
	var took []time.Duration
	for range 300 {
		began := time.Now()
		check(t, a.Say("net1", asks))
		hears(t, "a", a, holds)
		took = append(took, time.Since(began))
		time.Sleep(10 * time.Millisecond) // the copies are gone
	}
	close(done)
	<-ended
	tell(t, "question and answer", took)
}

func tell(t *testing.T, what string, took []time.Duration) {
	t.Helper()
	slices.Sort(took)
	at := func(q float64) time.Duration { return took[min(int(q*float64(len(took))), len(took)-1)] }
	t.Logf("%s: median %v, p99 %v, longest %v of %d", what, at(0.5), at(0.99), took[len(took)-1], len(took))
}

// Which of ipvlan's modes carry the words. Where they do not, Say does not
// know it.
func TestSiblingsByMode(t *testing.T) {
	for name, c := range map[string]struct {
		mode netlink.IPVlanMode
		flag netlink.IPVlanFlag
		want bool
	}{
		"l2":         {netlink.IPVLAN_MODE_L2, netlink.IPVLAN_FLAG_BRIDGE, true},
		"l2 private": {netlink.IPVLAN_MODE_L2, netlink.IPVLAN_FLAG_PRIVATE, true},
		"l2 vepa":    {netlink.IPVLAN_MODE_L2, netlink.IPVLAN_FLAG_VEPA, true},
		"l3":         {netlink.IPVLAN_MODE_L3, netlink.IPVLAN_FLAG_BRIDGE, false},
		"l3s":        {netlink.IPVLAN_MODE_L3S, netlink.IPVLAN_FLAG_BRIDGE, false},
	} {
		t.Run(name, func(t *testing.T) {
			eni := newWorker(t)
			router, err := netlink.LinkByName("router")
			check(t, err)
			check(t, netlink.LinkSetUp(router)) // without a carrier nothing is sent
			a, b := newPodIn(t, eni, c.mode, c.flag), newPodIn(t, eni, c.mode, c.flag)
			for i, p := range []pod{a, b} {
				check(t, p.AddrAdd(p.net1, address(t, "10.0.0.1"+strconv.Itoa(i)+"/24")))
				check(t, p.LinkSetUp(p.net1))
			}
			one, other := a.talk(t, eniMAC), b.talk(t, eniMAC)
			check(t, one.Say("net1", asks))
			if c.want {
				hears(t, "the sibling", other, asks)
				return
			}
			hearsNothing(t, "the sibling", other)
		})
	}
}

// What ipvlan does with an address that moves from one pod to another on one
// ENI: docs/adr/0007 relies on it.
func TestAddressMovesOnOneENI(t *testing.T) {
	for _, prefix := range []string{"10.0.0.100/24", "2001:db8::100/64"} {
		t.Run(prefix, func(t *testing.T) {
			x := address(t, prefix)
			eni := newWorker(t)
			a, b := newPod(t, eni), newPod(t, eni)
			for _, p := range []pod{a, b} {
				check(t, p.LinkSetUp(p.net1))
			}
			check(t, a.AddrAdd(a.net1, x))
			busy := func(when string) {
				t.Helper()
				if err := b.AddrAdd(b.net1, x); !errors.Is(err, unix.EADDRINUSE) {
					t.Errorf("%s the sibling adds it: %v, want %v", when, err, unix.EADDRINUSE)
				}
			}
			busy("while a pod has it")
			if x.IP.To4() != nil { // an interface that goes down loses its IPv6 addresses
				check(t, a.LinkSetDown(a.net1))
				busy("while a pod has it on an interface that is down")
				check(t, a.LinkSetUp(a.net1))
			}

			// Once the kernel has acknowledged the removal, the sibling may add it.
			var took []time.Duration
			from, to := a, b
			for range 200 {
				check(t, from.AddrDel(from.net1, x))
				removed := time.Now()
				if err := to.AddrAdd(to.net1, x); err != nil {
					t.Fatalf("after the removal the sibling adds it: %v", err)
				}
				took = append(took, time.Since(removed))
				from, to = to, from
			}
			tell(t, "from the removal's end until the sibling has it", took)

			// The pod's interface is deleted, as CNI does.
			if _, err := addressOf(a, x); err != nil {
				check(t, b.AddrDel(b.net1, x))
				check(t, a.AddrAdd(a.net1, x))
			}
			check(t, a.LinkDel(a.net1))
			deleted := time.Now()
			for ; ; time.Sleep(100 * time.Microsecond) {
				err := b.AddrAdd(b.net1, x)
				if err == nil {
					break
				}
				if !errors.Is(err, unix.EADDRINUSE) || time.Since(deleted) > patience {
					t.Fatal(err)
				}
			}
			t.Logf("from the end of the interface's deletion until the sibling has it: %v", time.Since(deleted))
		})
	}
}

// addressOf finds an address on a pod's interface.
func addressOf(p pod, x *netlink.Addr) (netlink.Addr, error) {
	found, err := p.AddrList(p.net1, unix.AF_UNSPEC)
	for _, a := range found {
		if a.IP.Equal(x.IP) {
			return a, nil
		}
	}
	return netlink.Addr{}, errors.Join(err, errors.New("not there"))
}

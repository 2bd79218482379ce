// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"errors"
	"sync"
	"testing"

	"github.com/vishvananda/netlink"
)

// Subscribe, then list: what changes in between is notified.
func TestSubscriptionIsOlderThanListing(t *testing.T) {
	n := newTestNamespace(t)
	net1 := n.addVeth(t, "net1", "net1p", testMAC)
	source, err := n.watcher(t, Options{}).open()
	must(t, err)
	defer source.close()
	must(t, n.AddrAdd(net1, addr(t, "10.0.0.1/24")))
	found, err := source.list()
	must(t, err)
	if got := prefixesOf(Snapshot{Interfaces: found.interfaces}, "net1"); len(got) != 1 {
		t.Errorf("the listing has %v, want the address", got)
	}
	if first, err := source.wait(t.Context(), patience); err != nil || first.IsZero() {
		t.Errorf("wait returns %v, %v, want a notification", first, err)
	}
}

// A runtime makes an interface under a temporary name, gives it its own, then
// its address: no snapshot shows the address under the temporary name.
func TestAddressHasItsLinksFinalName(t *testing.T) {
	n := newTestNamespace(t)
	watcher := n.watcher(t, Options{})
	end := make(chan struct{})
	var runtime sync.WaitGroup
	defer runtime.Wait()
	runtime.Go(func() {
		for range 100 {
			attrs := netlink.NewLinkAttrs()
			attrs.Name = "temporary"
			link := &netlink.Veth{LinkAttrs: attrs, PeerName: "peer"}
			if err := n.LinkAdd(link); err != nil {
				t.Error(err)
				break
			}
			err := errors.Join(n.LinkSetName(link, "eth0"), n.AddrAdd(link, addr(t, "10.0.0.1/24")), n.LinkDel(link))
			if err != nil {
				t.Error(err)
				break
			}
		}
		close(end)
	})
	for listings, done := 0, false; !done; listings++ {
		select {
		case <-end:
			done = true
		default:
		}
		found, err := watcher.listOnce()
		if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
			t.Fatal(err)
		}
		if got := prefixesOf(Snapshot{Interfaces: found.interfaces}, "temporary"); len(got) > 0 {
			t.Fatalf("listing %d shows %v under the temporary name", listings, got)
		}
	}
}

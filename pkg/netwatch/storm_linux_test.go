// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// manyAddresses is enough for dumps of several messages and for a burst that
// overflows a small buffer many times.
const manyAddresses = 2000

func numbered(i int) *netlink.Addr { return numberedOf(i, 16) }

func numberedOf(i, prefixLength int) *netlink.Addr {
	return &netlink.Addr{IPNet: &net.IPNet{IP: net.IPv4(10, 1, byte(i>>8), byte(i)), Mask: net.CIDRMask(prefixLength, 32)}}
}

func numberedPrefixes(count int) []string {
	found := make([]string, count)
	for i := range found {
		found[i] = numbered(i).IPNet.String()
	}
	return found
}

func TestWatchBurst(t *testing.T) {
	n := newTestNamespace(t)
	net1 := n.addVeth(t, "net1", "net1p", testMAC)
	emitted := 0
	w := watch(t, n.watcher(t, Options{}), func(Snapshot) { emitted++ })
	w.until(t, "net1")
	for i := range manyAddresses {
		must(t, n.AddrAdd(net1, numbered(i)))
	}
	w.until(t, "net1", numberedPrefixes(manyAddresses)...)
	for i := range manyAddresses {
		must(t, n.AddrDel(net1, numbered(manyAddresses-1-i)))
	}
	w.until(t, "net1")
	w.stop()
	t.Logf("%d changes gave %d snapshots", 2*manyAddresses, emitted)
}

// The kernel drops notifications when the buffer is full: the final state is
// there all the same.
func TestWatchSurvivesOverflow(t *testing.T) {
	n := newTestNamespace(t)
	net1 := n.addVeth(t, "net1", "net1p", testMAC)
	var log logRecorder
	watcher := n.watcher(t, Options{Logger: log.logger()})
	smallBuffer(watcher)
	held, release := make(chan struct{}), make(chan struct{})
	hold := sync.OnceFunc(func() { close(held); <-release })
	w := watch(t, watcher, func(Snapshot) { hold() })
	<-held
	for i := range manyAddresses {
		must(t, n.AddrAdd(net1, numbered(i)))
	}
	close(release)
	w.until(t, "net1", numberedPrefixes(manyAddresses)...)
	if !strings.Contains(log.String(), unix.ENOBUFS.Error()) {
		t.Errorf("nothing overflowed: %s", log.String())
	}

	for i := range manyAddresses {
		must(t, n.AddrDel(net1, numbered(manyAddresses-1-i)))
	}
	w.until(t, "net1")
}

// smallBuffer makes the kernel drop all but a few notifications.
func smallBuffer(w *Watcher) {
	w.open = func() (source, error) { return openKernel(w.namespace, 1) }
}

// The kernel makes a dump in parts, and tells when the table changed between
// two of them, even if there is nothing left for the second.
func TestInterruptedDumpIsAnError(t *testing.T) {
	for _, c := range []struct {
		name         string
		prefixLength int
		remain       int
	}{
		{"one address goes", 32, manyAddresses - 1},
		{"the primary address goes, and with it all others of its subnet", 16, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newTestNamespace(t)
			net1 := n.addVeth(t, "net1", "net1p", testMAC)
			for i := range manyAddresses {
				must(t, n.AddrAdd(net1, numberedOf(i, c.prefixLength)))
			}
			source, err := n.watcher(t, Options{}).open()
			must(t, err)
			defer source.close()
			removeFirst := sync.OnceFunc(func() { must(t, n.AddrDel(net1, numberedOf(0, c.prefixLength))) })
			_, err = source.(kernel).addresses(unix.AF_INET, func(payload []byte) (foundAddress, error) {
				removeFirst()
				return parseAddress(payload)
			})
			if !errors.Is(err, netlink.ErrDumpInterrupted) {
				t.Errorf("the interrupted dump gives %v, want %v", err, netlink.ErrDumpInterrupted)
			}
			found, err := source.list()
			must(t, err)
			if got := prefixesOf(Snapshot{Interfaces: found.interfaces}, "net1"); len(got) != c.remain {
				t.Errorf("the next listing has %d addresses, want %d", len(got), c.remain)
			}
		})
	}
}

// Amid bursts of changes each listing is whole.
func TestSnapshotsAreWholeAmidChanges(t *testing.T) {
	n := newTestNamespace(t)
	net1 := n.addVeth(t, "net1", "net1p", testMAC)
	for i := range manyAddresses {
		must(t, n.AddrAdd(net1, numbered(i)))
	}
	watcher := n.watcher(t, Options{})
	w := watch(t, watcher)
	w.until(t, "net1", numberedPrefixes(manyAddresses)...)

	all := numberedPrefixes(manyAddresses + 1)
	for range 20 {
		var changes sync.WaitGroup
		changes.Go(func() {
			extra := numbered(manyAddresses)
			for range 100 {
				if err := errors.Join(n.AddrAdd(net1, extra), n.AddrDel(net1, extra)); err != nil {
					t.Error(err)
					return
				}
			}
		})
		s, err := watcher.Snapshot(t.Context())
		changes.Wait()
		must(t, err)
		got := prefixesOf(s, "net1")
		if !slices.Equal(got, all) && !slices.Equal(got, all[:manyAddresses]) {
			t.Fatalf("a listing has %d addresses, want %d and perhaps one more", len(got), manyAddresses)
		}
	}
	must(t, n.AddrAdd(net1, numbered(manyAddresses)))
	w.until(t, "net1", all...)
}

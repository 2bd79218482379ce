// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// An address counts when its duplicate address detection is over, without any
// change but that of its flags.
func TestWatchWaitsForDuplicateAddressDetection(t *testing.T) {
	t.Parallel()
	n := newTestNamespace(t)
	net1 := n.addVeth(t, "net1", "net1p", testMAC)
	var log logRecorder
	w := watch(t, n.watcher(t, Options{Logger: log.logger()}))
	w.until(t, "net1")

	withDAD := addr(t, "2001:db8::1/64")
	withDAD.Flags = 0
	must(t, n.AddrAdd(net1, withDAD))
	must(t, n.AddrAdd(net1, addr(t, "2001:db8::2/64")))
	if i, _ := interfaceOf(w.until(t, "net1", "2001:db8::2/64"), "net1"); !slices.Equal(i.Tentative, prefixes("2001:db8::1/64")) {
		t.Errorf("the snapshot does not say that 2001:db8::1 is tentative: %+v", i)
	}
	if !strings.Contains(log.String(), reasonTentative) {
		t.Errorf("the log does not say why 2001:db8::1 is left out: %s", log.String())
	}
	if i, _ := interfaceOf(w.until(t, "net1", "2001:db8::1/64", "2001:db8::2/64"), "net1"); len(i.Tentative) != 0 {
		t.Errorf("%v is tentative and usable", i.Tentative)
	}
}

func TestWatchLeavesDuplicateAddressOut(t *testing.T) {
	t.Parallel()
	n := newTestNamespace(t)
	net1 := n.addVeth(t, "net1", "net1p", testMAC)
	must(t, n.AddrAdd(n.link(t, "net1p"), addr(t, "2001:db8::1/64")))
	var log logRecorder
	w := watch(t, n.watcher(t, Options{Logger: log.logger()}))

	duplicate := addr(t, "2001:db8::1/64")
	duplicate.Flags = 0
	must(t, n.AddrAdd(net1, duplicate))
	eventually(t, "the duplicate is told", func() bool { return strings.Contains(log.String(), reasonFailed) })
	must(t, n.AddrAdd(net1, addr(t, "2001:db8::2/64")))
	w.until(t, "net1", "2001:db8::2/64")
	if got := strings.Count(log.String(), reasonFailed); got != 1 {
		t.Errorf("the duplicate was told %d times, want once", got)
	}
}

func TestWatchKeepsDeprecatedAddress(t *testing.T) {
	n := newTestNamespace(t)
	net1 := n.addVeth(t, "net1", "net1p", testMAC)
	deprecated := addr(t, "2001:db8::1/64")
	deprecated.ValidLft, deprecated.PreferedLft = 1000, 0
	must(t, n.AddrAdd(net1, deprecated))
	listed, err := n.AddrList(net1, unix.AF_INET6)
	must(t, err)
	flags := 0
	for _, a := range listed {
		flags |= a.Flags
	}
	if flags&unix.IFA_F_DEPRECATED == 0 {
		t.Fatalf("the kernel does not show the address as deprecated: flags %#x", flags)
	}
	watch(t, n.watcher(t, Options{})).until(t, "net1", "2001:db8::1/64")
}

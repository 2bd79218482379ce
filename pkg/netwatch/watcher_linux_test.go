// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/usernstest"
)

func TestSnapshotOfAnotherNamespace(t *testing.T) {
	n := newTestNamespace(t)
	net1 := n.addVeth(t, "net1", "net1p", testMAC)
	must(t, n.AddrAdd(net1, addr(t, "10.0.0.1/24")))
	s, err := n.watcher(t, Options{}).Snapshot(t.Context())
	must(t, err)
	if got := strings.Join(prefixesOf(s, "net1"), " "); got != "10.0.0.1/24" || s.Noticed.IsZero() {
		t.Errorf("net1 has %q noticed at %v, want 10.0.0.1/24 at some time", got, s.Noticed)
	}

	own, err := Open(Options{})
	must(t, err)
	s, err = own.Snapshot(t.Context())
	must(t, err)
	if hasInterface(s, "net1") {
		t.Error("the own namespace shows the link of another")
	}
}

func TestOpenTellsWhatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for _, c := range []struct{ path, want string }{
		{"/nowhere", "open network namespace: open /nowhere: no such file"},
		{file, "not a network namespace"},
		{"/proc/self/ns/uts", "not a network namespace"},
	} {
		if _, err := Open(Options{Namespace: c.path}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Open %s gives %v, want %q in it", c.path, err, c.want)
		}
	}
}

func TestWatchLeavesNoGoroutine(t *testing.T) {
	before := goleak.IgnoreCurrent()
	n := newTestNamespace(t)
	watcher := n.watcher(t, Options{})
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		must(t, watcher.Watch(ctx, func(Snapshot) { go cancel() }))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	must(t, watcher.Watch(ended, func(Snapshot) { t.Error("a snapshot after the context ended") }))
	goleak.VerifyNone(t, before)
}

// In a pod of the restricted profile the watcher is nobody and may do nothing.
func TestWatchWithoutCapabilities(t *testing.T) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "net8"
	net8 := &netlink.Veth{LinkAttrs: attrs, PeerName: "net8p"}
	must(t, netlink.LinkAdd(net8))
	t.Cleanup(func() { must(t, netlink.LinkDel(net8)) })

	nobody := usernstest.Nobody()
	output, err := nobody.StdoutPipe()
	must(t, err)
	nobody.Stderr = os.Stderr
	input, err := nobody.StdinPipe()
	must(t, err)
	must(t, nobody.Start())
	lines := bufio.NewScanner(output)
	expect := func(want string) {
		t.Helper()
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("nobody says %q, want %q", lines.Text(), want)
		}
	}
	expect("uid 65534 capabilities 0000000000000000")
	expect("another namespace: true")
	expect("net8 has []")
	must(t, netlink.AddrAdd(net8, addr(t, "10.0.0.8/24")))
	expect("net8 has [10.0.0.8/24]")
	must(t, netlink.AddrDel(net8, addr(t, "10.0.0.8/24")))
	expect("net8 has []")
	must(t, input.Close())
	must(t, nobody.Wait())
}

// beNobody is the other end of TestWatchWithoutCapabilities.
func beNobody([]string) error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	_, capabilities, _ := strings.Cut(string(status), "CapEff:\t")
	fmt.Println("uid", os.Getuid(), "capabilities", capabilities[:16])
	_, err = Open(Options{Namespace: "/proc/self/ns/net"})
	fmt.Println("another namespace:", errors.Is(err, fs.ErrPermission) && strings.Contains(err.Error(), "CAP_SYS_ADMIN"))
	w, err := Open(Options{})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1)) // until it is closed
		cancel()
	}()
	before := "unknown"
	return w.Watch(ctx, func(s Snapshot) {
		if now := fmt.Sprint("net8 has ", prefixesOf(s, "net8")); now != before {
			fmt.Println(now)
			before = now
		}
	})
}

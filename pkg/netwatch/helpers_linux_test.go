// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// patience is far more than anything here takes, also on a busy machine with
// the race detector.
const patience = 20 * time.Second

// A testNamespace is a network namespace of a test's own.
type testNamespace struct {
	*netlink.Handle
	path string
}

func newTestNamespace(t testing.TB) testNamespace {
	t.Helper()
	type made struct {
		namespace netns.NsHandle
		err       error
	}
	result := make(chan made)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends here
		namespace, err := netns.New()
		result <- made{namespace, err}
	}()
	m := <-result
	if m.err != nil {
		t.Fatalf("make network namespace: %v", m.err)
	}
	t.Cleanup(func() { _ = m.namespace.Close() })
	handle, err := netlink.NewHandleAt(m.namespace, unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatalf("open netlink in namespace: %v", err)
	}
	t.Cleanup(handle.Close)
	return testNamespace{handle, fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), int(m.namespace))}
}

// addVeth makes a pair of links, both up, and returns the first.
func (n testNamespace) addVeth(t testing.TB, name, peer, mac string) netlink.Link {
	t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	attrs.HardwareAddr = parseMAC(t, mac)
	must(t, n.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: peer}))
	for _, end := range []string{name, peer} {
		must(t, n.LinkSetUp(n.link(t, end)))
	}
	return n.link(t, name)
}

func (n testNamespace) link(t testing.TB, name string) netlink.Link {
	t.Helper()
	link, err := n.LinkByName(name)
	if err != nil {
		t.Fatalf("find link %s: %v", name, err)
	}
	return link
}

// addr is an address that is usable at once: without duplicate address
// detection.
func addr(t testing.TB, prefix string) *netlink.Addr {
	t.Helper()
	a, err := netlink.ParseAddr(prefix)
	if err != nil {
		t.Fatal(err)
	}
	if a.IP.To4() == nil {
		a.Flags = unix.IFA_F_NODAD
	}
	return a
}

func (n testNamespace) watcher(t testing.TB, o Options) *Watcher {
	t.Helper()
	o.Namespace = n.path
	w, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, w.Close()) })
	return w
}

// A watching is a Watch that runs until the test ends.
type watching struct {
	snapshots chan Snapshot
	stop      func()
}

// watch starts w.Watch. Each snapshot is also given to the hooks first.
func watch(t testing.TB, w *Watcher, hooks ...func(Snapshot)) watching {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	snapshots := make(chan Snapshot, 1<<16)
	go func() {
		result <- w.Watch(ctx, func(s Snapshot) {
			for _, hook := range hooks {
				hook(s)
			}
			snapshots <- s
		})
	}()
	stop := sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-result:
			if err != nil {
				t.Errorf("Watch returned %v, want nil", err)
			}
		case <-time.After(patience):
			t.Error("Watch does not return after its context ended")
		}
	})
	t.Cleanup(stop)
	return watching{snapshots, stop}
}

// until returns the first snapshot in which the interface has exactly these
// prefixes.
func (w watching) until(t testing.TB, name string, prefixes ...string) Snapshot {
	t.Helper()
	return w.untilTrue(t, fmt.Sprintf("%s has %v", name, prefixes), func(s Snapshot) bool {
		return strings.Join(prefixesOf(s, name), " ") == strings.Join(prefixes, " ") && hasInterface(s, name)
	})
}

func (w watching) untilTrue(t testing.TB, what string, is func(Snapshot) bool) Snapshot {
	t.Helper()
	var last Snapshot
	limit := time.After(patience)
	for {
		select {
		case last = <-w.snapshots:
			if is(last) {
				return last
			}
		case <-limit:
			t.Fatalf("no snapshot where %s; the last one: %+v", what, last.Interfaces)
		}
	}
}

func hasInterface(s Snapshot, name string) bool {
	_, ok := interfaceOf(s, name)
	return ok
}

func interfaceOf(s Snapshot, name string) (Interface, bool) {
	for _, i := range s.Interfaces {
		if i.Name == name {
			return i, true
		}
	}
	return Interface{}, false
}

func prefixesOf(s Snapshot, name string) []string {
	i, _ := interfaceOf(s, name)
	var found []string
	for _, p := range i.Prefixes {
		found = append(found, p.String())
	}
	return found
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func prefixes(texts ...string) []netip.Prefix {
	var found []netip.Prefix
	for _, text := range texts {
		found = append(found, netip.MustParsePrefix(text))
	}
	return found
}

// A logRecorder keeps what was logged.
type logRecorder struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *logRecorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *logRecorder) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func (r *logRecorder) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func parseMAC(t testing.TB, text string) net.HardwareAddr {
	t.Helper()
	mac, err := net.ParseMAC(text)
	must(t, err)
	return mac
}

// eventually waits for what no snapshot tells.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for limit := time.Now().Add(patience); !is(); {
		if time.Now().After(limit) {
			t.Fatalf("it never happened that %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

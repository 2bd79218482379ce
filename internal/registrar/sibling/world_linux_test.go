// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package sibling

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// patience is far more than anything here takes, also on a busy machine with
// the race detector.
const patience = 20 * time.Second

// newSegment makes a bridge, which carries multicast to all its ports: more
// than an ENI does.
func newSegment(t testing.TB, name string) netlink.Link {
	t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	must(t, netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}))
	bridge, err := netlink.LinkByName(name)
	must(t, err)
	t.Cleanup(func() { must(t, netlink.LinkDel(bridge)) })
	must(t, netlink.LinkSetUp(bridge))
	return bridge
}

// A testPod is a network namespace with a Conversation in it.
type testPod struct {
	*netlink.Handle
	*Conversation
	name      string
	namespace netns.NsHandle
	log       *bytes.Buffer
}

func newPod(t testing.TB, name string) *testPod {
	t.Helper()
	p := &testPod{name: name, log: &bytes.Buffer{}}
	p.Conversation = New(slog.New(slog.NewTextHandler(p.log, nil)))
	made := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends here
		var err error
		p.namespace, err = netns.New()
		made <- err
	}()
	must(t, <-made)
	t.Cleanup(func() { _ = p.namespace.Close() })
	handle, err := netlink.NewHandleAt(p.namespace, unix.NETLINK_ROUTE)
	must(t, err)
	t.Cleanup(handle.Close)
	p.Handle = handle
	open := p.open
	p.open = func(family, index int) (s conn, err error) {
		err = p.inside(func() error { s, err = open(family, index); return err })
		return s, err
	}
	t.Cleanup(p.Close)
	return p
}

// only leaves the pod one family to speak by.
func (p *testPod) only(family int) {
	open := p.open
	p.open = func(f, index int) (conn, error) {
		if f != family {
			return nil, unix.EAFNOSUPPORT
		}
		return open(f, index)
	}
}

// Close is the Conversation's: the Handle's is done at the end of the test.
func (p *testPod) Close() { p.Conversation.Close() }

// inside runs do in the pod's namespace.
func (p *testPod) inside(do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if err := netns.Set(p.namespace); err != nil {
			done <- err
			return
		}
		done <- do()
	}()
	return <-done
}

func (p *testPod) sysctl(t *testing.T, path, value string) {
	t.Helper()
	must(t, p.inside(func() error { return os.WriteFile("/proc/sys/"+path, []byte(value), 0) }))
}

// attach gives the pod an interface on a segment, which is up, and has no
// address but its link-local one, when that is ready.
func (p *testPod) attach(t testing.TB, segment netlink.Link, name string) netlink.Link {
	t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = fmt.Sprintf("%s-%s", p.name, name)
	attrs.MasterIndex = segment.Attrs().Index
	must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: name, PeerNamespace: netlink.NsFd(p.namespace)}))
	port, err := netlink.LinkByName(attrs.Name)
	must(t, err)
	t.Cleanup(func() {
		if _, err := netlink.LinkByName(attrs.Name); err == nil {
			must(t, netlink.LinkDel(port))
		}
	})
	must(t, netlink.LinkSetUp(port))
	link, err := p.LinkByName(name)
	must(t, err)
	must(t, p.LinkSetUp(link))
	return link
}

// on follows an interface as one on the ENI with a MAC address.
func (p *testPod) on(eni string, links ...netlink.Link) {
	var interfaces []netwatch.Interface
	for _, l := range links {
		interfaces = append(interfaces, netwatch.Interface{Name: l.Attrs().Name, Index: l.Attrs().Index, MAC: eni, Up: true})
	}
	p.Follow(interfaces)
}

func (p *testPod) address(t *testing.T, link netlink.Link, prefix string) {
	t.Helper()
	a, err := netlink.ParseAddr(prefix)
	must(t, err)
	if a.IP.To4() == nil {
		a.Flags = unix.IFA_F_NODAD
	}
	must(t, p.AddrAdd(link, a))
}

// ready waits until the interface has a link-local address that can be used.
func (p *testPod) ready(t *testing.T, link netlink.Link) {
	t.Helper()
	for limit := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		found, err := p.AddrList(link, unix.AF_INET6)
		if !errors.Is(err, netlink.ErrDumpInterrupted) { // it is listed again
			must(t, err)
		}
		for _, a := range found {
			if a.IP.IsLinkLocalUnicast() && a.Flags&unix.IFA_F_TENTATIVE == 0 {
				return
			}
		}
		if time.Now().After(limit) {
			t.Fatalf("%s of %s gets no link-local address", link.Attrs().Name, p.name)
		}
	}
}

// hears waits for these words, and fails on others.
func (p *testPod) hears(t *testing.T, link string, notes ...Note) (h Heard) {
	t.Helper()
	select {
	case h = <-p.Heard():
		if got, want := fmt.Sprint(h.Link, h.Notes), fmt.Sprint(link, notes); got != want {
			t.Errorf("%s hears %s, want %s", p.name, got, want)
		}
	case <-time.After(patience):
		t.Fatalf("%s never hears %v; its log: %s", p.name, notes, p.log)
	}
	return h
}

// silence is how long nothing must be heard: many times what a datagram and
// its copy take.
const silence = 200 * time.Millisecond

func (p *testPod) hearsNothing(t *testing.T) {
	t.Helper()
	select {
	case h := <-p.Heard():
		t.Errorf("%s hears %v, want nothing", p.name, h)
	case <-time.After(silence):
	}
}

func (p *testPod) says(t testing.TB, link string, notes ...Note) {
	t.Helper()
	if err := p.Say(link, notes...); err != nil {
		t.Errorf("%s says: %v", p.name, err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

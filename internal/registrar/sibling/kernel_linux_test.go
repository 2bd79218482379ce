// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package sibling

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/usernstest"
)

const otherENI = "02:00:00:00:00:e2"

var (
	asks  = Note{v4, Nothing, true}
	holds = Note{v4, Holds, false}
)

// Of all who are on a segment, those on the same ENI hear one another.
func TestQuestionAndAnswer(t *testing.T) {
	segment := newSegment(t, "br")
	a, b, c := newPod(t, "a"), newPod(t, "b"), newPod(t, "c")
	for _, p := range []*testPod{a, b} {
		p.on(eni, p.attach(t, segment, "net1"))
	}
	c.on(otherENI, c.attach(t, segment, "net1"))
	a.says(t, "net1", asks)
	question := b.hears(t, "net1", asks)
	must(t, b.Answer(question, holds))
	if h := a.hears(t, "net1", holds); !h.Answer {
		t.Error("the answer is not known for one")
	}
	c.says(t, "net1", asks)
	for _, p := range []*testPod{a, b, c} {
		p.hearsNothing(t)
	}
}

// Each interface is a conversation of its own, also for the same pod twice on
// one ENI.
func TestTwoInterfaces(t *testing.T) {
	one, two := newSegment(t, "br1"), newSegment(t, "br2")
	a, b := newPod(t, "a"), newPod(t, "b")
	a.on(eni, a.attach(t, one, "net1"), a.attach(t, two, "net2"), a.attach(t, two, "net3"))
	b.on(eni, b.attach(t, one, "net1"), b.attach(t, two, "net2"))
	a.says(t, "net1", asks)
	b.hears(t, "net1", asks)
	a.says(t, "net2", asks)
	b.hears(t, "net2", asks)
	a.hearsNothing(t)
	b.hearsNothing(t)
}

// A pod's own switch for IPv6 does not matter, nor that it has no address: it
// sends by IPv4, from 0.0.0.0.
func TestWithoutIPv6AndAddress(t *testing.T) {
	segment := newSegment(t, "br")
	a, b := newPod(t, "a"), newPod(t, "b")
	for _, p := range []*testPod{a, b} {
		p.sysctl(t, "net/ipv6/conf/all/disable_ipv6", "1")
		p.sysctl(t, "net/ipv6/conf/default/disable_ipv6", "1")
		p.on(eni, p.attach(t, segment, "net1"))
	}
	a.says(t, "net1", asks)
	b.hears(t, "net1", asks)
	if a.log.Len() > 0 || b.log.Len() > 0 {
		t.Errorf("the logs have %q, %q", a.log, b.log)
	}
}

// One pod has IPv6 switched off, the other has it alone.
func TestOneFamilyEach(t *testing.T) {
	segment := newSegment(t, "br")
	a, b := newPod(t, "a"), newPod(t, "b")
	a.only(unix.AF_INET6)
	link := a.attach(t, segment, "net1")
	a.on(eni, link)
	b.on(eni, b.attach(t, segment, "net1"))
	a.ready(t, link)
	a.says(t, "net1", asks)
	b.hears(t, "net1", asks)
	b.ready(t, mustLink(t, b, "net1"))
	b.says(t, "net1", holds)
	a.hears(t, "net1", holds)
}

// While the link-local address is tentative nothing leaves by IPv6: Say tells
// so, and the words leave when it can.
func TestTentativeLinkLocal(t *testing.T) {
	segment := newSegment(t, "br")
	a, b := newPod(t, "a"), newPod(t, "b")
	a.only(unix.AF_INET6)
	a.on(eni, a.attach(t, segment, "net1"))
	b.on(eni, b.attach(t, segment, "net1"))
	if err := a.Say("net1", asks); err == nil {
		t.Error("it was sent at once: the address was not tentative")
	}
	b.hears(t, "net1", asks)
	if a.log.Len() > 0 {
		t.Errorf("the log has %q", a.log)
	}
}

// With a strict reverse path filter a pod drops IPv4 from an address beyond
// another of its interfaces, which is what an asker without an IPv4 address on
// this one sends from. IPv6 is heard.
func TestStrictReversePath(t *testing.T) {
	segment, cluster := newSegment(t, "br"), newSegment(t, "cluster")
	a, b := newPod(t, "a"), newPod(t, "b")
	links := map[*testPod]netlink.Link{}
	for i, p := range []*testPod{a, b} {
		p.sysctl(t, "net/ipv4/conf/all/rp_filter", "1")
		eth0 := p.attach(t, cluster, "eth0")
		p.address(t, eth0, fmt.Sprintf("10.9.0.%d/24", i+1))
		links[p] = p.attach(t, segment, "net1")
	}
	b.on(eni, links[b])
	a.only(unix.AF_INET)
	a.on(eni, links[a])
	a.says(t, "net1", asks)
	b.hearsNothing(t)

	c := newPod(t, "c")
	c.address(t, c.attach(t, cluster, "eth0"), "10.9.0.3/24")
	c.on(eni, c.attach(t, segment, "net1"))
	c.says(t, "net1", asks)
	b.hears(t, "net1", asks)
}

// Interfaces come, go, and come again by the same name with another index.
func TestHotPlug(t *testing.T) {
	segment := newSegment(t, "br")
	a, b := newPod(t, "a"), newPod(t, "b")
	b.on(eni, b.attach(t, segment, "net1"))
	before := descriptors(t)
	for range 3 {
		link := a.attach(t, segment, "net1")
		a.on(eni, link)
		b.says(t, "net1", asks)
		a.hears(t, "net1", asks)
		a.says(t, "net1", holds)
		b.hears(t, "net1", holds)
		must(t, a.LinkDel(link))
		if err := a.Say("net1", asks); err == nil {
			t.Error("it says something on an interface that is gone")
		}
		a.on(eni)
	}
	a.Conversation.readers.Wait()
	if now := descriptors(t); now != before {
		t.Errorf("%d files are open, were %d", now, before)
	}
	// It may come again before anybody saw that it was gone.
	for range 2 {
		link := a.attach(t, segment, "net1")
		a.on(eni, link)
		a.says(t, "net1", asks)
		b.hears(t, "net1", asks)
		must(t, a.LinkDel(link))
	}
	// One that is gone before it could be followed.
	link := a.attach(t, segment, "net1")
	must(t, a.LinkDel(link))
	a.on(eni, link)
	if !bytes.Contains(a.log.Bytes(), []byte("cannot be heard")) {
		t.Errorf("the log has %q", a.log)
	}
}

// An interface that is down sends nothing, and serves again when it is up.
func TestInterfaceDown(t *testing.T) {
	segment := newSegment(t, "br")
	a, b := newPod(t, "a"), newPod(t, "b")
	link := a.attach(t, segment, "net1")
	a.on(eni, link)
	b.on(eni, b.attach(t, segment, "net1"))
	must(t, a.LinkSetDown(link))
	if err := a.Say("net1", asks); err == nil {
		t.Error("no error")
	}
	must(t, a.LinkSetUp(link))
	b.hears(t, "net1", asks)
	b.says(t, "net1", holds)
	a.hears(t, "net1", holds)
}

// The first copies by one family and all by the other are lost.
func TestLoss(t *testing.T) {
	segment := newSegment(t, "br")
	a, b := newPod(t, "a"), newPod(t, "b")
	for _, p := range []*testPod{a, b} {
		p.only(unix.AF_INET)
		open := p.open
		p.open = func(family, index int) (conn, error) {
			s, err := open(family, index)
			return &lossy{conn: s}, err
		}
		p.on(eni, p.attach(t, segment, "net1"))
	}
	a.says(t, "net1", asks)
	b.hears(t, "net1", asks)
	b.says(t, "net1", holds)
	a.hears(t, "net1", holds)
}

// lossy loses every other datagram, the first before all.
type lossy struct {
	conn
	sent atomic.Int32
}

func (l *lossy) send(b []byte) error {
	if l.sent.Add(1)%2 == 1 {
		return nil
	}
	return l.conn.send(b)
}

// What is sent to the pod's address, or to the group on an interface that is
// not followed, is not heard.
func TestOnlyTheLink(t *testing.T) {
	one, two := newSegment(t, "br1"), newSegment(t, "br2")
	a, b := newPod(t, "a"), newPod(t, "b")
	link := a.attach(t, one, "net1")
	a.address(t, link, "10.0.0.1/24")
	b.address(t, b.attach(t, one, "net1"), "10.0.0.2/24")
	net2 := b.attach(t, two, "net2")
	a.attach(t, two, "net2")
	a.on(eni, link)
	b.on(eni, net2)
	b.says(t, "net2", holds)
	m, _ := parseMAC(eni)
	must(t, b.inside(func() error {
		to, err := net.Dial("udp4", net.JoinHostPort("10.0.0.1", strconv.Itoa(Port)))
		if err != nil {
			return err
		}
		defer to.Close()
		_, err = to.Write(from(7, 1, m, holds))
		return err
	}))
	a.hearsNothing(t)
}

// Two registrars in one namespace hear the same siblings.
func TestTwoInOneNamespace(t *testing.T) {
	segment := newSegment(t, "br")
	a, b := newPod(t, "a"), newPod(t, "b")
	link := a.attach(t, segment, "net1")
	a.on(eni, link)
	second := New(nil)
	t.Cleanup(second.Close)
	second.open = a.open
	also := &testPod{Conversation: second, name: "the second", log: &bytes.Buffer{}}
	also.on(eni, link)
	b.on(eni, b.attach(t, segment, "net1"))
	b.says(t, "net1", asks)
	a.hears(t, "net1", asks)
	also.hears(t, "net1", asks)
}

// To follow an interface sends nothing, not even a report of a membership. An
// interface with IPv6 sends reports and more of its own.
func TestIdleIsSilent(t *testing.T) {
	segment := newSegment(t, "br")
	a := newPod(t, "a")
	a.sysctl(t, "net/ipv6/conf/default/disable_ipv6", "1")
	a.on(eni, a.attach(t, segment, "net1"))
	time.Sleep(1500 * time.Millisecond) // IGMP reports a change within a second
	if sent := mustLink(t, a, "net1").Attrs().Statistics.TxPackets; sent > 0 {
		t.Errorf("%d packets were sent, want none", sent)
	}
	a.says(t, "net1", asks)
	time.Sleep(silence)
	if sent := mustLink(t, a, "net1").Attrs().Statistics.TxPackets; sent != copies {
		t.Errorf("%d packets were sent, want %d", sent, copies)
	}
}

// An empty datagram is no end.
func TestEmptyDatagram(t *testing.T) {
	segment := newSegment(t, "br")
	a, b := newPod(t, "a"), newPod(t, "b")
	a.only(unix.AF_INET)
	a.on(eni, a.attach(t, segment, "net1"))
	b.on(eni, b.attach(t, segment, "net1"))
	must(t, b.links["net1"].sockets[0].send(nil))
	b.says(t, "net1", asks)
	a.hears(t, "net1", asks)
}

// A restricted pod has the right to all this.
func TestNeedsNoRight(t *testing.T) {
	segment := newSegment(t, "br")
	for limit := 0; ; limit++ { // the child is in this namespace, not in a pod's
		addrs, err := netlink.AddrList(segment, unix.AF_INET6)
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			must(t, err)
		}
		if len(addrs) > 0 && addrs[0].Flags&unix.IFA_F_TENTATIVE == 0 {
			break
		}
		if limit > int(patience/silence) {
			t.Fatal("no link-local address")
		}
		time.Sleep(silence)
	}
	out, err := usernstest.Nobody(strconv.Itoa(segment.Attrs().Index)).CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(open)
}

func mustLink(t *testing.T, p *testPod, name string) netlink.Link {
	t.Helper()
	l, err := p.LinkByName(name)
	must(t, err)
	return l
}

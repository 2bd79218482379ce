// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vswitch

import (
	"errors"
	"testing"
)

func TestPacketsGoToTheOwnerWhateverTheirMACSays(t *testing.T) {
	_, a, b, c := world(t, Options{})
	a.send(ipv4(macC, macA, "10.0.1.10", "10.0.1.11"))
	f := b.received(t)
	if f.destination() != macB || f.source() != macA {
		t.Errorf("arrived from %x for %x, want from a's MAC for b's", f.source(), f.destination())
	}
	a.send(ipv4(macRouter, macA, "10.0.1.10", "10.0.2.12"))
	f = c.received(t)
	if f.destination() != macC || f.source() != macRouter {
		t.Errorf("arrived from %x for %x, want from the router's MAC for c's", f.source(), f.destination())
	}
	b.wantNothing(t)
}

func TestDropsAreCountedByReason(t *testing.T) {
	for _, tc := range []struct {
		name string
		f    frame
		want Reason
	}{
		{"nobody owns the destination", ipv4(macB, macA, "10.0.1.10", "10.0.1.99"), Unmapped},
		{"an unanswered request", arp(macA, "10.0.1.10", "10.0.1.99"), Unmapped},
		{"an unanswered solicitation", solicitation(macA, "2001:db8::a", "2001:db8::99"), Unmapped},
		{"a source that is b's", ipv4(macC, macA, "10.0.1.11", "10.0.2.12"), SourceCheck},
		{"a source that nobody has", ipv4(macB, macA, "10.0.1.99", "10.0.1.11"), SourceCheck},
		{"a MAC that is not the ENI's", ipv4(macB, MAC{2, 9}, "10.0.1.10", "10.0.1.11"), UnknownMAC},
		{"broadcast", ipv4(broadcast, macA, "10.0.1.10", "255.255.255.255"), Multicast},
		{"multicast", ipv4(MAC{1, 0, 0x5e}, macA, "10.0.1.10", "224.0.0.18"), Multicast},
		{"something else", newFrame(macB, macA, 0x88cc, 50), NotIP},
		{"a cut packet", ipv4(macB, macA, "10.0.1.10", "10.0.1.11")[:20], NotIP},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, a, b, c := world(t, Options{})
			a.send(tc.f)
			for _, w := range []*wire{a, b, c} {
				w.wantNothing(t)
			}
			got := s.Counters("a")
			if len(got.Dropped) != 1 || got.Dropped[tc.want] != 1 || len(got.Drops) != 1 || got.Sent != 0 {
				t.Errorf("counters = %+v, want one drop: %s", got, tc.want)
			}
		})
	}
}

func TestPortsOfOneENIAreSwitchedAsIPvlanDoes(t *testing.T) {
	s, a, b, _ := world(t, Options{})
	worker, sibling := plug(t, s, "a", Master), plug(t, s, "a", Slave)

	a.send(ipv4(macA, macA, "10.9.9.9", "10.9.9.8")) // no address is EC2's
	sibling.received(t)
	worker.received(t)
	a.send(arp(macA, "10.9.9.9", "10.9.9.8"))
	sibling.received(t)
	worker.wantNothing(t)

	b.send(ipv4(macA, macB, "10.0.1.11", "10.0.1.10"))
	for _, w := range []*wire{a, worker, sibling} {
		w.received(t)
	}
	worker.send(ipv4(macA, macA, "10.0.1.10", "10.0.1.10"))
	if got := s.Counters("a").Dropped[OwnMAC]; got != 1 {
		t.Errorf("%d frames from the worker to its own MAC dropped, want 1", got)
	}
	for _, w := range []*wire{a, b, worker, sibling} {
		w.wantNothing(t)
	}
}

func TestAnUnpluggedOwnerIsADrop(t *testing.T) {
	s := New(table{addr("10.0.1.10"): "a", addr("10.0.1.11"): "b"}, Options{})
	defer s.Close()
	for _, e := range []ENI{{ID: "a", MAC: macA}, {ID: "b", MAC: macB}} {
		if err := s.AddENI(e); err != nil {
			t.Fatal(err)
		}
	}
	a, b := plug(t, s, "a", Master), newWire()
	unplug, err := s.Plug("b", Master, b)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(unplug(), unplug()); err != nil {
		t.Fatal(err)
	}
	a.send(ipv4(macB, macA, "10.0.1.10", "10.0.1.11"))
	b.wantNothing(t)
	if got := s.Counters("a").Dropped[Unplugged]; got != 1 {
		t.Errorf("%d drops, want 1", got)
	}
}

func TestAClosedSwitchTakesNoPort(t *testing.T) {
	s, _, _, _ := world(t, Options{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Plug("a", Master, newWire()); err == nil {
		t.Error("a port was plugged into a closed switch")
	}
	if _, err := New(table{}, Options{}).Plug("x", Master, newWire()); err == nil {
		t.Error("a port was plugged into an unknown ENI")
	}
}

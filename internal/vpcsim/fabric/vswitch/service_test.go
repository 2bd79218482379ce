// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vswitch

import (
	"errors"
	"net/netip"
	"testing"
)

var macService = MAC{2, 0, 0, 0, 0, 0xee}

// plugService plugs a service at 192.0.2.10 into the switch.
func plugService(t *testing.T, s *Switch, eni string) (*ServicePort, *wire) {
	t.Helper()
	w := newWire()
	p, err := s.PlugService(Service{Addrs: []netip.Addr{addr("192.0.2.10")}, MAC: macService, ENI: eni}, w)
	if err != nil {
		t.Fatal(err)
	}
	return p, w
}

func TestAServiceIsReachedAndAnswers(t *testing.T) {
	s, a, b, c := world(t, Options{})
	_, w := plugService(t, s, "")

	a.send(arp(macA, "10.0.1.10", "192.0.2.10"))
	if f := a.received(t); f.source() != macRouter {
		t.Errorf("the service is said to be at %x, want the router's MAC", f.source())
	}
	a.send(ipv4(macRouter, macA, "10.0.1.10", "192.0.2.10"))
	if f := w.received(t); f.destination() != macService || f.source() != macRouter {
		t.Errorf("arrived from %x for %x, want from the router's MAC for the service's", f.source(), f.destination())
	}
	w.send(arp(macService, "192.0.2.10", "10.0.2.12"))
	router := w.received(t).source()
	w.send(ipv4(router, macService, "192.0.2.10", "10.0.2.12"))
	if f := c.received(t); f.destination() != macC || f.source() != macRouter {
		t.Errorf("arrived from %x for %x, want from the router's MAC for c's", f.source(), f.destination())
	}
	if got := s.Counters("a"); got.Sent != 1 || len(got.Dropped) != 0 {
		t.Errorf("counters of a = %+v, want one sent", got)
	}
	if got := s.Counters("c"); got.Delivered != 1 {
		t.Errorf("counters of c = %+v, want one delivered", got)
	}
	for _, f := range []frame{
		ipv4(router, macService, "192.0.2.11", "10.0.2.12"), // from an address that is not the service's
		ipv4(router, macService, "192.0.2.10", "10.0.2.99"), // to nobody
		newFrame(router, macService, 0x88cc, 50),
	} {
		w.send(f)
	}
	a.send(ipv4(macRouter, macA, "10.0.1.11", "192.0.2.10"))
	if got := s.Counters("a").Dropped[SourceCheck]; got != 1 {
		t.Errorf("%d drops of what a sends from b's address to the service, want 1", got)
	}
	for _, w := range []*wire{a, b, c, w} {
		w.wantNothing(t)
	}
}

func TestAServiceOfOneENIIsItsAlone(t *testing.T) {
	s, a, b, _ := world(t, Options{})
	ofA, wa := plugService(t, s, "a")
	_, wb := plugService(t, s, "b")
	a.send(ipv4(macRouter, macA, "10.0.1.10", "192.0.2.10"))
	wa.received(t)
	wa.send(ipv4(serviceRouter, macService, "192.0.2.10", "10.0.1.11")) // b's address, and yet
	a.received(t)
	b.send(ipv4(macRouter, macB, "10.0.1.11", "192.0.2.10"))
	wb.received(t)

	ofA.Block(true)
	a.send(ipv4(macRouter, macA, "10.0.1.10", "192.0.2.10"))
	wa.send(ipv4(serviceRouter, macService, "192.0.2.10", "10.0.1.10"))
	if got := s.Counters("a").Dropped[Unplugged]; got != 1 {
		t.Errorf("%d drops of what a sends to a blocked service, want 1", got)
	}
	ofA.Block(false)
	a.send(ipv4(macRouter, macA, "10.0.1.10", "192.0.2.10"))
	wa.received(t)

	if err := errors.Join(ofA.Close(), ofA.Close()); err != nil {
		t.Fatal(err)
	}
	a.send(ipv4(macRouter, macA, "10.0.1.10", "192.0.2.10"))
	if got := s.Counters("a").Dropped[Unmapped]; got != 1 {
		t.Errorf("%d drops of what a sends to a service that is gone, want 1", got)
	}
	for _, w := range []*wire{a, b, wa, wb} {
		w.wantNothing(t)
	}
}

func TestAServiceOfNobodyIsRefused(t *testing.T) {
	s, _, _, _ := world(t, Options{})
	if _, err := s.PlugService(Service{ENI: "x"}, newWire()); err == nil {
		t.Error("a service was plugged into an unknown ENI")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PlugService(Service{}, newWire()); err == nil {
		t.Error("a service was plugged into a closed switch")
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vswitch

import "net/netip"

// handle does with a frame from port t what a VPC does. It may change f.
func (s *Switch) handle(t *port, f frame) {
	e := t.eni
	if f.source() != e.MAC {
		src, dst, _ := f.addresses()
		e.drop(UnknownMAC, src, dst)
		return
	}
	if t.role == Slave && s.handleAsIPvlan(t, f) {
		return
	}
	if f.etherType() == etherARP {
		s.handleARP(t, f)
		return
	}
	src, dst, ok := f.addresses()
	if !ok {
		e.drop(NotIP, src, dst)
		return
	}
	if sender, target, ok := parseSolicitation(f); ok {
		s.handleSolicitation(t, f, sender, target)
		return
	}
	if f.destination().multicast() || dst.IsMulticast() {
		e.drop(Multicast, src, dst)
		return
	}
	s.route(t, f, src, dst)
}

// handleAsIPvlan does what an ipvlan device in mode l2 does before a frame
// leaves the worker: multicast goes to the other devices of the master too,
// and what is addressed to the master's own MAC, which they all share, never
// leaves. It reports whether the frame's way ends here.
// Source: Linux, ipvlan_xmit_mode_l2.
func (s *Switch) handleAsIPvlan(t *port, f frame) bool {
	dst := f.destination()
	local := dst == t.eni.MAC
	if !local && !dst.multicast() {
		return false
	}
	_, ports := s.lookup(t.eni.ID)
	for _, o := range ports {
		if o != t && (local || o.role == Slave) {
			_ = o.WriteFrame(f) // a device that is down takes nothing: as in ipvlan
		}
	}
	return local
}

// route hands the packet in f to the owner of dst.
func (s *Switch) route(t *port, f frame, src, dst netip.Addr) {
	e := t.eni
	if !s.vpc.Permits(e.ID, src) {
		e.drop(SourceCheck, src, dst)
		return
	}
	if to := s.service(e, dst); to != nil {
		s.serve(e, f, to, src, dst)
		return
	}
	id, ok := s.vpc.Deliver(e.ID, dst)
	if !ok {
		e.drop(Reason(s.vpc.Undelivered(e.ID, dst)), src, dst)
		return
	}
	if id == e.ID && f.destination() == e.MAC {
		e.drop(OwnMAC, src, dst)
		return
	}
	owner, ports := s.lookup(id)
	if owner == nil {
		e.drop(Unplugged, src, dst)
		return
	}
	via := e.MAC
	if owner.Subnet != e.Subnet {
		via = owner.RouterMAC
	}
	f.readdress(owner.MAC, via)
	// All ports of the owner: the switch does not know which of them has dst,
	// and a kernel drops what is not its own.
	// It counts as delivered before it is: an answer may overtake the counter.
	e.sent.Add(1)
	owner.delivered.Add(1)
	not := (*port)(nil)
	if t.role == Slave {
		not = t
	}
	if !write(ports, not, f) {
		const minusOne = ^uint64(0)
		e.sent.Add(minusOne)
		owner.delivered.Add(minusOne)
		e.drop(Unplugged, src, dst)
	}
}

// write hands f to ports, but for one, and reports whether any took it.
func write(ports []*port, not *port, f frame) (taken bool) {
	for _, o := range ports {
		if o != not && o.WriteFrame(f) == nil {
			taken = true
		}
	}
	return taken
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vswitch

import (
	"net/netip"
	"slices"
)

func (s *Switch) handleARP(t *port, f frame) {
	sender, target, ok := parseARP(f)
	if !ok {
		return
	}
	mac, _, ok := s.resolve(t.eni, sender, target)
	if ok {
		_ = t.WriteFrame(answerARP(f, mac)) // a lost answer is asked for again
	}
}

func (s *Switch) handleSolicitation(t *port, f frame, sender, target netip.Addr) {
	mac, router, ok := s.resolve(t.eni, sender, target)
	if ok {
		_ = t.WriteFrame(answerSolicitation(f, sender, target, mac, router)) // as above
	}
}

// resolve returns the MAC address that e is told for target, and whether that
// is the subnet's router; ok is false when the VPC does not answer.
func (s *Switch) resolve(e *eni, sender, target netip.Addr) (mac MAC, router, ok bool) {
	if target == RouterLinkLocal || slices.Contains(e.Routers, target) {
		return e.RouterMAC, true, true
	}
	if s.service(e, target) != nil {
		return e.RouterMAC, false, true
	}
	probe := sender.IsUnspecified()
	id, ok := s.vpc.Deliver(e.ID, target)
	owner, _ := s.lookup(id)
	switch {
	case !ok || owner == nil:
		// Probes for an address that nobody has, and link-local ones, are
		// not packets that anybody misses.
		if !probe && !target.IsLinkLocalUnicast() {
			e.drop(Unmapped, sender, target)
		}
		return mac, false, false
	case probe && (owner == e || !s.opts.AnswerDAD):
		return mac, false, false
	}
	return owner.MAC, false, true
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// Floating is what the user says of floating IPs.
type Floating struct {
	// Addresses are the floating IPs of the pod and its peers: prefixes, a
	// single address as /32 or /128. An address that appears after the pod was
	// once routed is treated as one without being named.
	Addresses []netip.Prefix
	// RouteTables are the IDs of the route tables in which a floating IP from
	// outside of the subnet is a route to the active pod's ENI.
	RouteTables []string
}

func (f Floating) equal(o Floating) bool {
	return slices.Equal(f.Addresses, o.Addresses) && slices.Equal(f.RouteTables, o.RouteTables)
}

func (f Floating) contains(a netip.Addr) bool {
	return inside(a, f.Addresses)
}

// SetFloating changes which addresses are floating and where they are routed.
// Routes in tables that are not named any more are released.
func (l *Ledger) SetFloating(now time.Time, f Floating) {
	if f.equal(l.cfg.Floating) {
		return
	}
	l.cfg.Floating = f
	l.owners.due, l.owners.looks = now, 0
	l.placeAnew(now)
	clear(l.greeted)
}

// urgent says that somebody waits for the address right now: it is a floating
// IP by name, or it came after the pod was once routed.
func (l *Ledger) urgent(c *claim) bool { return c.late || l.cfg.Floating.contains(c.Addr) }

// Where IMDS does not tell the subnet's blocks, an address this far from the
// ENI's own lies outside of them in any case. Source: Amazon VPC user guide,
// the largest blocks of a VPC are /16 and /44.
const (
	widestIPv4 = 16
	widestIPv6 = 44
)

// routed says whether a floating IP is reached by routes to the ENI, since it
// lies outside of the ENI's subnet.
func (l *Ledger) routed(a netip.Addr, e eniassign.ENI) bool {
	if len(l.cfg.Floating.RouteTables) == 0 || !l.cfg.Floating.contains(a) {
		return false
	}
	if eniassign.HaveFamily(e.CIDRs, a) {
		return !inside(a, e.CIDRs)
	}
	switch { // known when the blocks were: a guess must not undo it
	case l.stands(a, e.ID, true):
		return true
	case l.stands(a, e.ID, false):
		return false
	}
	if near := vicinity(e); eniassign.HaveFamily(near, a) {
		return !inside(a, near)
	}
	s := l.enis[e.ID]
	return s == nil || !s.inside[a]
}

// stands says that an address has a standing as a route to the ENI, or as its
// secondary address.
func (l *Ledger) stands(a netip.Addr, eni string, route bool) bool {
	return l.some(func(c *claim) bool {
		return (c.Table != "") == route && c.ENI == eni && c.Addr == a && c.standing != None
	})
}

// learnInside notes that EC2 refused a route because the VPC's blocks contain the
// address. Where nothing tells the subnet's that was a guess: the address is to be
// a secondary one.
func (l *Ledger) learnInside(c *claim, r *eniassign.Reason, now time.Time) {
	s := l.enis[c.ENI]
	if r.Code != eniassign.RouteInsideVPC || s == nil {
		return
	}
	if s.inside == nil {
		s.inside = map[netip.Addr]bool{}
	}
	s.inside[c.Addr] = true
	l.placeAnew(now)
}

// vicinity are blocks that surely contain the ENI's subnet.
func vicinity(e eniassign.ENI) []netip.Prefix {
	var out []netip.Prefix
	own := append(slices.Clone(e.Addresses), e.Primary, e.PrimaryIPv6)
	for _, p := range e.Prefixes {
		own = append(own, p.Addr())
	}
	for _, a := range own {
		bits := widestIPv4
		if a.Is6() {
			bits = widestIPv6
		}
		if p, err := a.Prefix(bits); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// targetsOn are what an address on an ENI is to be: its secondary address, or
// a route in each table.
func (l *Ledger) targetsOn(a netip.Addr, eni string) []Target {
	if s := l.enis[eni]; s == nil || !l.routed(a, s.facts) {
		return []Target{{ENI: eni, Addr: a}}
	}
	out := make([]Target, 0, len(l.cfg.Floating.RouteTables))
	for _, t := range l.cfg.Floating.RouteTables {
		out = append(out, Target{ENI: eni, Table: t, Addr: a})
	}
	return out
}

// checkAddress finds what EC2 would refuse of an address on an ENI, before it
// is asked.
func (l *Ledger) checkAddress(a netip.Addr, e eniassign.ENI) *eniassign.Reason {
	if l.routed(a, e) {
		return nil
	}
	r := eniassign.CheckAddress(a, e)
	if r != nil && r.Code == eniassign.AddressOutsideSubnet && l.cfg.Floating.contains(a) {
		r.Cure = fmt.Sprintf("A floating IP from outside of the subnet is reached by routes: name the route tables in the annotation route-tables, or give the pod an address of the subnet of %s.", e.ID)
	}
	return r
}

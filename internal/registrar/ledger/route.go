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

const (
	// checkInterval is how often an ENI is described again whose source/
	// destination check forbids a route to it.
	checkInterval = time.Minute
	// routeLinger is how long a route is left alone after its address went. A
	// release looks where the route leads and deletes it a round trip later: what
	// another pod sets in between is deleted, too. In a hand-over it does so
	// within a second (an advertisement of keepalived) and EC2's answer. Until
	// then the route leads to an ENI that drops the packets, as no route would.
	// After a release that could not be it is left alone as long again.
	routeLinger = 3 * time.Second
	// probeInterval is how often a missing right to a route table is tried again.
	probeInterval = 5 * time.Minute
)

// A probe is what is known of the rights to one route table.
type probe struct {
	inFlight bool
	passed   bool
	due      time.Time
	attempts int
	reason   *eniassign.Reason // why not, as far as is known
}

// nextProbes asks, once per route table, whether a failover would be allowed:
// a standby learns of a missing right before it is needed.
func (l *Ledger) nextProbes(w *Work, now time.Time) {
	f := l.cfg.Floating
	if len(f.RouteTables) == 0 || len(f.Addresses) == 0 {
		return
	}
	about, known := l.standIn()
	if !known {
		return
	}
	i := slices.IndexFunc(f.Addresses, func(p netip.Prefix) bool { return l.routed(p.Addr(), about) })
	if i < 0 {
		return
	}
	about.SourceDestCheck = nil // that is a concern of its own, and asks nothing of the rights
	a := f.Addresses[i].Addr()
	for _, table := range f.RouteTables {
		p := l.probes[table]
		if p == nil {
			p = &probe{}
			l.probes[table] = p
		}
		if p.inFlight || p.passed || !w.ripe(p.due, now) {
			continue
		}
		p.inFlight = true
		w.Probes = append(w.Probes, eniassign.Call{Verb: eniassign.Claim, ENI: about.ID, Family: eniassign.FamilyOf(a),
			Table: table, Addrs: []netip.Addr{a}, About: about})
	}
}

// Probed takes the answer to one of Work.Probes; nil says that all is allowed.
func (l *Ledger) Probed(now time.Time, call eniassign.Call, r *eniassign.Reason) {
	p := l.probes[call.Table]
	if p == nil {
		return
	}
	p.inFlight, p.passed = false, r == nil
	if r == nil {
		p.reason = nil
		return
	}
	p.due = now.Add(l.stretched(probeInterval))
	if r.Class == eniassign.Transient {
		p.due = now.Add(l.delay(r.Class, p.attempts))
		p.attempts++
	}
	if p.reason == nil || p.reason.Code != r.Code {
		l.events = append(l.events, Event{Kind: CannotRoute, Target: Target{ENI: call.ENI, Table: call.Table}, Reason: r})
	}
	p.reason = r
}

// Concerns says in sentences what would stop a failover to this pod, although
// nothing is missing now.
func (l *Ledger) Concerns() []string {
	var out []string
	for _, table := range l.cfg.Floating.RouteTables {
		if p := l.probes[table]; p != nil && p.reason != nil {
			out = append(out, fmt.Sprintf("Route table %s: %s", table, p.reason))
		}
	}
	if c := l.checkConcern(); c != nil {
		out = append(out, c.String())
	}
	return out
}

// checkConcern is a reason where every ENI that a floating IP could be routed to
// has its source/destination check on.
func (l *Ledger) checkConcern() *eniassign.Reason {
	var why *eniassign.Reason
	for _, s := range l.below() {
		switch {
		case !l.routesTo(s.facts):
		case !checked(s.facts):
			return nil
		case why == nil:
			why = checkReason(s.facts.ID)
		}
	}
	return why
}

// routesTo says whether any floating IP would be a route to the ENI.
func (l *Ledger) routesTo(e eniassign.ENI) bool {
	return slices.ContainsFunc(l.cfg.Floating.Addresses, func(p netip.Prefix) bool { return l.routed(p.Addr(), e) })
}

// checked says that EC2 drops what the ENI sends and gets for other addresses.
func checked(e eniassign.ENI) bool { return e.SourceDestCheck != nil && *e.SourceDestCheck }

func checkReason(eni string) *eniassign.Reason {
	r := reason(eniassign.SourceDestCheckOn, eniassign.Permanent,
		fmt.Sprintf("%s has its source/destination check on, which drops the packets of a floating IP from outside of the VPC.", eni))
	r.Cure = eniassign.CureSourceDestCheck(eni)
	return r
}

// noteCheck tells of a source/destination check once, and lets the claims that
// it stopped go on once it is off.
func (l *Ledger) noteCheck(s *eniState, before eniassign.ENI, now time.Time) {
	switch {
	case checked(s.facts) && !checked(before) && l.routesTo(s.facts):
		l.events = append(l.events, Event{Kind: CannotRoute, Target: Target{ENI: s.facts.ID},
			Reason: checkReason(s.facts.ID)})
	case !checked(s.facts) && checked(before):
		for _, c := range l.claims {
			if c.ENI == s.facts.ID && c.Table != "" && c.wanted && !c.inFlight && c.state != Assigned {
				c.due, c.attempts = now, 0
			}
		}
	}
}

// recheck says whether it is time to see if somebody turned the check off.
func (l *Ledger) recheck(e *eniState, w *Work, now time.Time) bool {
	if !checked(e.facts) || !l.routesTo(e.facts) || !l.ofInterest(e) || !w.ripe(e.checkDue, now) {
		return false
	}
	e.checkDue = now.Add(l.stretched(checkInterval))
	return true
}

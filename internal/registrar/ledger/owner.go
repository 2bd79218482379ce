// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

const (
	// ownerDelay is how long after a floating IPv6 address went its new owner is
	// looked up: it will have it by then. Where there is none the time doubles.
	ownerDelay = 5 * time.Second
	// ownerDelayMax ends that: who has not turned up by then is not looked for
	// any more.
	ownerDelayMax = 10 * time.Minute
)

// ownerState remembers who holds the floating IPv6 addresses, so that a claim
// need not look for the owner first: EC2 moves them in two calls only.
type ownerState struct {
	known map[netip.Addr]string // ENI IDs
	due   time.Time             // when to look; zero for never
	looks int                   // in a row that did not find all
}

func (l *Ledger) rememberOwner(a netip.Addr, eni string) {
	if eni == "" {
		delete(l.owners.known, a)
		return
	}
	if a.Is6() {
		l.owners.known[a] = eni
	}
}

// disown notes that nothing is on an ENI any more.
func (l *Ledger) disown(eni string) {
	maps.DeleteFunc(l.owners.known, func(_ netip.Addr, owner string) bool { return owner == eni })
}

// nextOwners looks the owners up at start, and after an address went, for some
// minutes or until they are known: then a standby costs no calls while nothing
// happens (law 8).
func (l *Ledger) nextOwners(w *Work, now time.Time) []Look {
	about, known := l.standIn()
	if l.owners.due.IsZero() || !known || l.closing {
		return nil
	}
	ask := l.owned(about)
	if len(ask) == 0 {
		l.owners.due = time.Time{}
		return nil
	}
	if !w.ripe(later(l.owners.due, l.look.due), now) {
		return nil
	}
	l.owners.due = time.Time{}
	return []Look{{About: about, Addrs: ask}}
}

// owned are the floating IPv6 addresses that others may have.
func (l *Ledger) owned(about eniassign.ENI) []netip.Addr {
	var out []netip.Addr
	for _, p := range l.cfg.Floating.Addresses {
		if p.IsSingleIP() && p.Addr().Is6() && !l.routed(p.Addr(), about) && !l.isWanted(p.Addr()) {
			out = append(out, p.Addr())
		}
	}
	return out
}

// seekOwners sets when to look again for owners that were not found: nobody may
// be active yet.
func (l *Ledger) seekOwners(now time.Time) {
	o := &l.owners
	about, known := l.standIn()
	if !o.due.IsZero() || !known {
		return
	}
	if !slices.ContainsFunc(l.owned(about), func(a netip.Addr) bool { return o.known[a] == "" }) {
		o.looks = 0
		return
	}
	if wait := double(ownerDelay, o.looks, ownerDelayMax); wait < ownerDelayMax { // then it is nobody's for good
		o.due = now.Add(l.stretched(wait))
		o.looks++
	}
}

// isWanted says that an interface of the pod has the address.
func (l *Ledger) isWanted(a netip.Addr) bool {
	return l.some(func(c *claim) bool { return c.Addr == a && c.wanted })
}

// standIn is an ENI below an interface that is looked after, and may be used.
func (l *Ledger) standIn() (eniassign.ENI, bool) {
	for _, s := range l.below() {
		if l.cfg.Policy.Refuses(s.facts) == "" {
			return s.facts, true
		}
	}
	return eniassign.ENI{}, false
}

// hurry says of a call what makes a failover quick.
func (l *Ledger) hurry(call *eniassign.Call) {
	if call.Verb != eniassign.Claim {
		return
	}
	for _, a := range call.Addrs {
		if l.urgent(l.claims[Target{call.ENI, call.Table, a}]) {
			call.Urgent = true
		}
		if owner := l.owners.known[a]; owner != "" && owner != call.ENI && call.Table == "" {
			if call.Owners == nil {
				call.Owners = map[netip.Addr]string{}
			}
			call.Owners[a] = owner
		}
	}
}

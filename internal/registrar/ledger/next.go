// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"slices"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// Work is what is to be done now. Each part counts as in flight until its
// answer comes back: Inventoried, Described, Looked or LookedUpRoutes, Probed,
// Hinted, Done.
type Work struct {
	// Inventory says to find the worker's ENIs; MACs are the interfaces'. Without
	// them EC2 is not to be asked.
	Inventory bool
	MACs      []string
	// Describe are ENIs to ask EC2 about, in one filtered call.
	Describe []string
	// Say is for the siblings; it has no answer of its own.
	Say []Saying
	// Probes are route calls to ask EC2 about the right to, once per table.
	Probes []eniassign.Call
	// Looks are questions where addresses are.
	Looks []Look
	// Hints are ENIs to ask IMDS about.
	Hints []eniassign.ENI
	// Calls are the mutations, one EC2 request each in the normal case. They
	// may run side by side.
	Calls []eniassign.Call
	// Wake is when to ask again if nothing happens; zero for never.
	Wake time.Time
}

func (w *Work) wakeAt(t time.Time) {
	if w.Wake.IsZero() || t.Before(w.Wake) {
		w.Wake = t
	}
}

// ripe says whether t has come; if not, it sets the alarm.
func (w *Work) ripe(t, now time.Time) bool {
	if t.After(now) {
		w.wakeAt(t)
		return false
	}
	return true
}

// Next says what to do now and marks it as in flight.
func (l *Ledger) Next(now time.Time) Work {
	var w Work
	if l.refused != nil || !l.observed && !l.closing {
		return w
	}
	l.nextCalls(&w, now) // first: what needs no call is to be watched over
	if !l.closing {
		l.nextInventory(&w, now)
		l.nextHints(&w, now)
		l.nextLooks(&w, now)
		l.nextProbes(&w, now)
	}
	l.nextDescribe(&w, now)
	l.greet()
	w.Say, l.sayings = l.sayings, nil
	l.wasReady = l.wasReady || len(l.Waiting()) == 0 // told in sentences: not while a failover waits
	return w
}

// nextCalls plans the mutations that are due.
func (l *Ledger) nextCalls(w *Work, now time.Time) {
	var items []eniassign.Item
	for _, c := range l.sorted() {
		verb, ok := l.needs(c)
		if ok && !c.inFlight && verb == eniassign.Release && l.foreign(c) {
			if e := l.enis[c.ENI]; e != nil && e.described { // else EC2 is asked first
				l.abandon(c, now)
			}
			continue
		}
		if !ok || c.inFlight || !w.ripe(c.due, now) || !l.mayLeave(w, c, verb, now) {
			continue
		}
		if verb == eniassign.Release && !l.mayPart(w, c, now) {
			continue
		}
		items = append(items, eniassign.Item{Addr: c.Addr, ENI: c.ENI, Table: c.Table, Verb: verb})
	}
	calls, done := eniassign.Plan(l.together(items), l.known())
	for _, i := range done {
		l.free(l.claims[Target{i.ENI, i.Table, i.Addr}], i.Verb, now)
	}
	for i := range calls {
		call := &calls[i]
		l.lastCall++
		call.ID = l.lastCall
		l.enter(*call, now)
		l.hurry(call)
		for _, a := range call.Addrs {
			l.start(l.claims[Target{call.ENI, call.Table, a}], call, now)
		}
	}
	w.Calls = calls
}

// together adds to the items what waits for a retry and can leave with them: the
// call costs no more for it.
func (l *Ledger) together(items []eniassign.Item) []eniassign.Item {
	type call struct {
		verb   eniassign.Verb
		eni    string
		family eniassign.Family
	}
	leaving := map[call]bool{}
	for _, i := range items {
		if i.Table == "" {
			leaving[call{i.Verb, i.ENI, eniassign.FamilyOf(i.Addr)}] = true
		}
	}
	var joined []eniassign.Item
	for _, c := range l.sorted() {
		verb, ok := l.needs(c)
		waits := ok && c.state == Pending && c.class == eniassign.Transient && !c.busy() && c.Table == ""
		if waits && leaving[call{verb, c.ENI, eniassign.FamilyOf(c.Addr)}] && l.lanes[l.laneOf(c, verb)].calls == 0 {
			joined = append(joined, eniassign.Item{Addr: c.Addr, ENI: c.ENI, Verb: verb})
		}
	}
	return append(items, joined...)
}

// needs says which call a claim needs, whenever it is due.
func (l *Ledger) needs(c *claim) (eniassign.Verb, bool) {
	if !c.wanted {
		sure := c.standing == Acknowledged || c.Table != "" // a route is looked at before it is deleted
		return eniassign.Release, c.state == Releasing && c.releasable() && sure
	}
	switch e := l.enis[c.ENI]; {
	case c.state == Assigned, e == nil, e.gone, !e.described && !l.describe.denied:
		return 0, false
	}
	return c.verb, true
}

// foreign says that the claim's ENI is not this worker's any more, so that
// releasing there could take the address from somebody else (law 5).
func (l *Ledger) foreign(c *claim) bool {
	inv := l.inventory.known
	if e := l.enis[c.ENI]; e != nil && e.facts.MAC != "" && e.described && !e.gone && !l.detached(e.facts) {
		return false // a hole in IMDS: EC2 has told of it
	}
	return inv != nil && inv.FromIMDS && !slices.ContainsFunc(inv.ENIs, func(e eniassign.ENI) bool { return e.ID == c.ENI })
}

// known are the ENIs' lasting facts: the addresses that they held at some
// time are no reason to leave out a call.
func (l *Ledger) known() []eniassign.ENI {
	out := make([]eniassign.ENI, 0, len(l.enis))
	for _, s := range l.enis {
		e := s.facts
		e.Addresses = nil
		out = append(out, e)
	}
	return out
}

// start marks a claim as in flight. From here until the answer EC2 may or may
// not have done it, and so says the state file.
func (l *Ledger) start(c *claim, call *eniassign.Call, now time.Time) {
	v := call.Verb
	c.inFlight, c.flight, c.call, c.asked, c.look = true, v, call.ID, now, time.Time{}
	e := Event{Kind: Asked, Target: c.Target, Interface: c.iface, Failover: c.late}
	if v == eniassign.Release {
		l.events = append(l.events, e)
		return
	}
	if c.standing != Acknowledged {
		c.before, c.standing = c.standing, InDoubt
	}
	if c.state == Contested {
		c.steals++
		l.tell(Taken, c)
	}
	if c.late && c.attempts == 0 && v == eniassign.Claim && c.state == Pending {
		e.Noticed = c.noticed
	}
	l.events = append(l.events, e)
	c.set(Assigning, c.reason, now)
}

// free ends an item that needs no call.
func (l *Ledger) free(c *claim, v eniassign.Verb, now time.Time) {
	if v == eniassign.Release {
		c.standing, c.reason = None, nil
		l.tell(WasReleased, c)
		l.forget(c, now)
		return
	}
	l.acknowledge(c, AlreadyThere, now)
}

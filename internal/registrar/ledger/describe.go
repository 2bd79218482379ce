// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"slices"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
)

// nextDescribe asks EC2 about ENIs: each once at start (tags, what is there
// already: law 8), then only where there is a doubt to settle.
func (l *Ledger) nextDescribe(w *Work, now time.Time) {
	if l.describe.inFlight {
		return
	}
	ids := l.toDescribe(w, now)
	if len(ids) == 0 || !w.ripe(l.describe.due, now) {
		return
	}
	l.describe.inFlight = true
	for _, id := range ids {
		l.enis[id].wish = false
	}
	w.Describe = ids
}

func (l *Ledger) toDescribe(w *Work, now time.Time) []string {
	var ids []string
	for id, e := range l.enis {
		switch {
		case e.gone:
		case e.wish, !e.described && (l.ofInterest(e) || l.candidate(e)), l.doubtful(id), l.untagged(e, w, now), l.recheck(e, w, now):
			ids = append(ids, id)
		}
	}
	// What the state file names and the inventory does not is asked for too.
	for _, c := range l.claims {
		doubt := c.Table == "" && c.state == Releasing && c.standing == InDoubt && !l.describe.denied
		if l.enis[c.ENI] == nil && (doubt || c.wanted || c.state == Releasing && l.foreign(c)) {
			l.enis[c.ENI] = &eniState{facts: eniassign.ENI{ID: c.ENI, DeviceIndex: -1}}
			ids = append(ids, c.ENI)
		}
	}
	slices.Sort(ids)
	return ids
}

// ofInterest says whether an ENI lies below an interface that is looked after
// or has claims. Interfaces without an address count: what is known early need
// not be asked for when a floating IP appears.
func (l *Ledger) ofInterest(e *eniState) bool {
	return l.some(func(c *claim) bool { return c.ENI == e.facts.ID }) ||
		slices.ContainsFunc(l.Watched(), func(i netwatch.Interface) bool { return i.MAC == e.facts.MAC })
}

// candidate says whether an address could belong to the ENI or to another one: its
// tags may tell.
func (l *Ledger) candidate(e *eniState) bool {
	return slices.ContainsFunc(l.unplaced, func(u unplaced) bool {
		return u.reason.Code == eniassign.AmbiguousENI && inside(u.addr, e.facts.CIDRs)
	})
}

// doubtful says whether a gone address may or may not be on the ENI.
func (l *Ledger) doubtful(id string) bool {
	return !l.describe.denied && l.some(func(c *claim) bool {
		return c.ENI == id && c.Table == "" && c.state == Releasing && !c.inFlight && c.standing == InDoubt
	})
}

// untagged says whether it is time to look for the tag that an ENI was
// refused for: whoever adds it need not restart the pod.
func (l *Ledger) untagged(e *eniState, w *Work, now time.Time) bool {
	refused := slices.ContainsFunc(l.unplaced, func(u unplaced) bool {
		return u.eni == e.facts.ID && u.reason.Code == eniassign.ENIRefusedManaged
	})
	if !refused || !w.ripe(e.tagDue, now) {
		return false
	}
	e.tagDue = now.Add(l.stretched(tagInterval))
	return true
}

// holds says whether a secondary address is assigned on the ENI.
func (l *Ledger) holds(e *eniState) bool {
	return l.some(func(c *claim) bool { return c.ENI == e.facts.ID && c.Table == "" && c.state == Assigned })
}

// Described takes the answer to Work.Describe, which was sent at started.
func (l *Ledger) Described(now, started time.Time, ids []string, enis []eniassign.ENI, r *eniassign.Reason) {
	d := &l.describe
	d.inFlight = false
	if r != nil {
		l.describeRefused(ids, r, now)
		return
	}
	*d = describeState{}
	for _, id := range ids {
		s := l.enis[id]
		i := slices.IndexFunc(enis, func(e eniassign.ENI) bool { return e.ID == id })
		switch {
		case s == nil:
		case i < 0, l.detached(enis[i]):
			l.vanish(id, now)
		default:
			e := enis[i]
			e.CIDRs, e.InstanceType = s.facts.CIDRs, s.facts.InstanceType // only IMDS tells
			before := s.facts
			s.facts, s.described = e, true
			l.noteCheck(s, before, now)
			s.tagDue = now.Add(l.stretched(tagInterval))
			s.checkDue = now.Add(l.stretched(checkInterval))
			l.list(s.facts)
			l.compare(s, started, now)
		}
	}
	l.place(now) // the tags may forbid
}

// list notes that an ENI is here which the inventory left out.
func (l *Ledger) list(e eniassign.ENI) {
	inv := l.inventory.known
	if inv == nil || slices.ContainsFunc(inv.ENIs, func(i eniassign.ENI) bool { return i.ID == e.ID }) {
		return
	}
	more := *inv
	more.ENIs = append(slices.Clone(inv.ENIs), e)
	l.inventory.known = &more
}

// detached says that EC2 knows the ENI to be attached to no or another worker.
func (l *Ledger) detached(e eniassign.ENI) bool {
	inv := l.inventory.known
	return inv != nil && inv.FromIMDS && inv.InstanceID != "" && e.InstanceID != inv.InstanceID
}

// describeRefused goes on without what EC2 would have told (law 9) where the
// right is missing; else it asks again.
func (l *Ledger) describeRefused(ids []string, r *eniassign.Reason, now time.Time) {
	d := &l.describe
	if d.attempts == 0 {
		d.refused = now
	}
	d.reason, d.due = r, now.Add(l.delay(r.Class, d.attempts))
	if r.Class == eniassign.Transient {
		d.due = now.Add(l.jittered(RetryBelow(d.attempts, now.Sub(d.refused), false), l.rand()))
	}
	d.attempts++
	if r.Class != eniassign.Denied || r.Code != eniassign.NotAuthorized {
		for _, id := range ids {
			if s := l.enis[id]; s != nil && s.described {
				s.wish = true
			}
		}
		return
	}
	if !d.denied {
		l.events = append(l.events, Event{Kind: CannotDescribe, Reason: r})
	}
	d.denied = true
	for _, id := range ids {
		if s := l.enis[id]; s != nil {
			s.described = true
		}
	}
	for _, c := range l.sorted() {
		switch {
		case c.state == Assigned && c.hint == suspect:
			l.lose(c, now) // holding it again takes it from nobody
		case !c.wanted && !c.busy() && c.Table == "" && c.standing == InDoubt:
			l.leave(c, now)
		}
	}
}

// compare holds the claims on an ENI against what EC2 said of it at started.
// What was asked for since then proves nothing.
func (l *Ledger) compare(s *eniState, started, now time.Time) {
	for _, c := range l.sorted() {
		if c.ENI != s.facts.ID || c.Table != "" || c.busy() || c.asked.After(started) || c.answered.After(started) || c.created.After(started) {
			continue
		}
		_, done := eniassign.Plan([]eniassign.Item{{Addr: c.Addr, ENI: c.ENI, Verb: eniassign.Hold}}, []eniassign.ENI{s.facts})
		there := len(done) == 1
		switch {
		case c.wanted && there && c.state == Assigned:
			c.doubts = 0
			if c.hint == suspect { // IMDS is behind; of the others it told the truth
				c.hint, c.hintTill = unseen, now.Add(imdsLag)
			}
		case c.wanted && there:
			l.acknowledge(c, AlreadyThere, now)
		case c.wanted && c.state == Assigned:
			l.lose(c, now)
		case c.wanted:
		case c.standing == InDoubt && there:
			c.standing = Acknowledged // EC2 did what was asked; to be released
			l.letGo(c, now)
		case !there && c.releasable():
			c.standing, c.reason = None, nil
			l.tell(WasReleased, c)
			l.forget(c, now)
		}
	}
}

// lose starts to hold an address again that is missing from its ENI (law 4).
func (l *Ledger) lose(c *claim, now time.Time) {
	if now.Sub(c.acked) > holdDownReset {
		c.steals = 0
	}
	c.standing, c.verb = Lost, eniassign.Hold
	c.attempts, c.class, c.due = 0, "", now
	c.set(Pending, reason(AddressLost, eniassign.Transient,
		"EC2 does not have it on "+c.ENI+" any more; it is being assigned again."), now)
	l.tell(WasLost, c)
}

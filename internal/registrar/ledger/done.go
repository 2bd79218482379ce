// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// Done takes EC2's answer to a call of Next.
func (l *Ledger) Done(now time.Time, call eniassign.Call, outcomes []eniassign.Outcome) {
	l.exit(call)
	l.jitter = l.rand()
	for _, o := range outcomes {
		c := l.claims[Target{call.ENI, call.Table, o.Addr}]
		if c == nil {
			continue
		}
		current := c.inFlight && c.call == call.ID
		if !current && c.earlier == 0 {
			continue
		}
		c.answered = now
		if current {
			c.inFlight, c.flight = false, 0
		}
		switch {
		case !current:
			l.doneEarlier(c, o, now)
		case call.Verb == eniassign.Release:
			l.doneRelease(c, o, now)
		case o.Reason == nil:
			l.acknowledge(c, Acked, now)
		default:
			l.doneRefused(c, o, now)
			if o.Freed {
				delete(l.owners.known, c.Addr)
			}
		}
		if !c.wanted {
			l.crossed(c, now)
		}
	}
}

// crossed has an address looked at that moved to another ENI of this pod while the
// call for this one was in flight: EC2 may have done the two in either order.
func (l *Ledger) crossed(c *claim, now time.Time) {
	for _, o := range l.claims {
		switch {
		case o.Addr != c.Addr || o.Table != c.Table || o.ENI == c.ENI || !o.wanted:
		case o.inFlight:
			o.again = true
		default:
			o.look = now.Add(siblingLook)
		}
	}
}

// doneEarlier notes an answer about an address that went and came back meanwhile:
// that EC2 has had it here because of us, and no more.
func (l *Ledger) doneEarlier(c *claim, o eniassign.Outcome, now time.Time) {
	c.earlier--
	if o.Reason == nil && c.standing == InDoubt {
		c.standing = Acknowledged
	}
	switch {
	case !c.wanted:
		c.reason = nil
		l.letGo(c, now)
	case o.Reason == nil && c.inFlight:
		c.had = true
	case o.Reason == nil && c.attempts > 0 && (c.state == Failed || c.state == Pending):
		l.holdHad(c, now)
	}
}

// holdHad asks for an address again whose claim was refused while that of an
// earlier appearance was acknowledged, at EC2's leisure: it may well be here. If
// somebody has taken it since, they appeared later.
func (l *Ledger) holdHad(c *claim, now time.Time) {
	c.had, c.verb, c.due = false, eniassign.Hold, now
}

// acknowledge notes that EC2 has the address on the ENI because of us.
func (l *Ledger) acknowledge(c *claim, k Kind, now time.Time) {
	c.standing, c.asked, c.acked = Acknowledged, now, now
	c.attempts, c.class, c.due = 0, "", now
	c.hint, c.hintTill = unseen, now.Add(imdsLag)
	c.doubts, c.had = 0, false
	delete(l.owners.known, c.Addr)
	if !c.wanted {
		c.reason = nil
		l.letGo(c, now)
		return
	}
	c.set(Assigned, nil, now)
	l.watchOver(c, now)
	if c.again {
		c.again = false
		l.holdAgain(c, now)
		return
	}
	e := Event{Kind: k, Target: c.Target, Interface: c.iface, Failover: c.late, Noticed: c.noticed}
	c.noticed = time.Time{}
	l.events = append(l.events, e)
}

func (l *Ledger) doneRelease(c *claim, o eniassign.Outcome, now time.Time) {
	if o.Reason == nil {
		c.standing, c.asked = None, now
		l.madeRoom(c.ENI, now)
	}
	l.say(c, LetGo) // whatever came of it, and whether anybody asked: ADR 7
	if c.parting != unasked {
		c.parting = retrying
	}
	switch {
	case c.wanted: // it came back meanwhile
		c.set(Pending, nil, now)
		c.due = now
	case o.Reason == nil || !c.releasable(): // or the ENI vanished meanwhile
		c.reason = nil
		l.tell(WasReleased, c)
		l.forget(c, now)
	default:
		l.refuse(c, Releasing, NotReleased, o.Reason, now)
	}
}

// doneRefused notes an answer that is no acknowledgement: what was asked was
// not done, unless that is in doubt. What was on the ENI before stays known.
func (l *Ledger) doneRefused(c *claim, o eniassign.Outcome, now time.Time) {
	switch {
	case o.InDoubt && c.standing != Acknowledged:
		c.standing = InDoubt
	case !o.InDoubt && c.standing == InDoubt:
		c.standing = c.before // of an earlier call that got no answer this one tells nothing
	}
	if !c.wanted {
		c.reason = o.Reason
		l.letGo(c, now)
		return
	}
	if o.Reason.Code == eniassign.RequestCanceled && !o.InDoubt { // it went and came back meanwhile
		c.set(Pending, nil, now)
		c.due = now
		return
	}
	switch o.Reason.Class {
	case eniassign.Contested:
		before := c.standing
		if l.contest(c, o.Reason, now); o.InDoubt {
			c.standing = before
		}
	case eniassign.Gone:
		l.refuse(c, Pending, WasRefused, o.Reason, now)
		l.vanish(c.ENI, now)
	case eniassign.Transient:
		l.refuse(c, Pending, WasRefused, o.Reason, now)
	default:
		l.refuse(c, Failed, WasRefused, o.Reason, now)
		l.learnInside(c, o.Reason, now)
	}
}

// refuse notes a refusal and when to ask again. It is told once, not at every
// attempt.
func (l *Ledger) refuse(c *claim, s State, k Kind, r *eniassign.Reason, now time.Time) {
	if c.class != r.Class {
		c.class, c.attempts = r.Class, 0
	}
	if c.attempts == 0 {
		c.refused = now
	}
	c.due = now.Add(l.retryDelay(c, r.Class, now))
	c.attempts++
	if e := l.enis[c.ENI]; r.Code == eniassign.ENIFull && e != nil && e.released.After(c.asked) {
		c.due = now // there is room since
	}
	if c.had && c.wanted {
		l.holdHad(c, now)
	}
	if r.Owner != "" && r.Owner != c.ENI {
		l.rememberOwner(c.Addr, r.Owner) // half of a move may have been refused
	}
	news := c.reason == nil || c.reason.Code != r.Code
	c.set(s, r, now)
	if news {
		l.tell(k, c)
	}
}

// madeRoom lets the addresses that did not fit on an ENI try again at once.
func (l *Ledger) madeRoom(id string, now time.Time) {
	if e := l.enis[id]; e != nil {
		e.released = now
	}
	for _, c := range l.claims {
		if c.ENI == id && c.wanted && c.reason != nil && c.reason.Code == eniassign.ENIFull {
			c.due, c.attempts = now, 0
		}
	}
}

// retryDelay is how long a claim waits after a refusal: all addresses of a call
// as long, so that they stay together.
func (l *Ledger) retryDelay(c *claim, class eniassign.Class, now time.Time) time.Duration {
	if class != eniassign.Transient {
		return l.delay(class, c.attempts)
	}
	if c.Table != "" && !c.wanted { // what stops the release stops the new holder's claim, too
		return routeLinger + l.jittered(RetryBelow(c.attempts, now.Sub(c.refused), false), l.jitter)
	}
	return l.jittered(RetryBelow(c.attempts, now.Sub(c.refused), l.urgent(c)), l.jitter)
}

// delay is how long to wait after a refusal.
func (l *Ledger) delay(class eniassign.Class, attempts int) time.Duration {
	switch class {
	case eniassign.Transient, eniassign.Gone:
		return l.fullJitter(attempts, RetryBase, RetryCap)
	case eniassign.Denied:
		return l.between(DeniedMin, DeniedMax)
	case eniassign.Cooldown:
		return l.stretched(CooldownDelay)
	default:
		return l.stretched(double(PermanentBase, attempts, PermanentCap))
	}
}

// contest leaves an address that another ENI holds alone for the hold-down;
// then it is claimed again (law 4).
func (l *Ledger) contest(c *claim, r *eniassign.Reason, now time.Time) {
	c.standing, c.verb = Lost, eniassign.Claim
	c.due = now.Add(l.stretched(double(l.cfg.HoldDown, c.steals, l.cfg.HoldDownMax)))
	l.rememberOwner(c.Addr, r.Owner)
	news := c.state != Contested && (c.reason == nil || c.reason.Code != r.Code)
	c.set(Contested, r, now)
	c.doubts = 0
	l.watchOver(c, now)
	if news {
		l.tell(WasContested, c)
	}
}

// vanish notes that EC2 does not know an ENI any more: nothing is on it, and
// the interfaces' ENIs must be looked up again.
func (l *Ledger) vanish(id string, now time.Time) {
	e := l.enis[id]
	if e == nil || e.gone {
		return
	}
	e.gone = true
	l.disown(id)
	l.events = append(l.events, Event{Kind: ENIVanished, Target: Target{ENI: id}})
	l.inventory.due = now
	for _, c := range l.sorted() {
		if c.ENI != id {
			continue
		}
		c.standing = None
		if c.state == Assigned {
			c.verb = eniassign.Hold // present is held, never stolen
		}
		if c.wanted {
			c.set(Pending, reason(eniassign.ENINotFound, eniassign.Gone,
				"EC2 does not know "+id+" any more; the interface's ENI is being looked up again."), now)
		} else if !c.busy() {
			l.forget(c, now)
		}
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
)

// Two pods on one worker and one ENI hand a floating IP over: one registrar
// would release what the other has just been given, since EC2 cannot tell them
// apart. So they talk (ADR 7).
const (
	// siblingPatience is how long a release waits for siblings to answer. They
	// do within a few milliseconds or not at all.
	siblingPatience = 20 * time.Millisecond
	// siblingsBehind is how long a release waits for them at most where this
	// process comes back late: who had no CPU has not heard the answers.
	siblingsBehind = 500 * time.Millisecond
	// heirPatience is how long it waits where a sibling has spoken of that floating
	// IP before: somebody is there, if slow. On a worker with many times the work
	// of its CPUs answers took 0.8 s.
	heirPatience = 2 * time.Second
	// heirAgain is how long it waits for the answer when it asks again, and at the
	// end of the pod, whose grace period may be short.
	heirAgain = 500 * time.Millisecond
	// linger is how long a release waits where a sibling may take the address:
	// longer than keepalived needs to move it with a 1 s interval of its own.
	linger = 2 * time.Second
	// siblingLook is when an address is looked up after a sibling said that it
	// is releasing it, in case the word that this is over gets lost.
	siblingLook = 500 * time.Millisecond
	// maxHeirs bounds what is remembered of what siblings spoke of: whoever is on
	// the link could name every address of a floating prefix. Others are released
	// without the longer wait.
	maxHeirs = 1024
)

// A Word is what registrars on one ENI tell one another of an address.
type Word string

// The words.
const (
	Asks      Word = "asks"       // it went here: who has it, or may take it?
	MayTake   Word = "may take"   // it is among the floating IPs here
	Holds     Word = "holds"      // it is on an interface here
	LettingGo Word = "letting go" // EC2 is being asked to take it off the ENI
	LetGo     Word = "let go"     // EC2 has taken it off the ENI
)

// A Saying is a word about an address, to or from the siblings on an interface's
// ENI.
type Saying struct {
	Interface string
	Addr      netip.Addr
	Word      Word
	// Answer says of what was heard that it answers our last question.
	Answer bool
	// Re is what was heard, for whoever carries the answer to it; nil for none.
	Re any
}

// An heir is a floating IP of which a sibling on that interface has spoken: it
// may come to have it.
type heir struct {
	iface string
	addr  netip.Addr
}

// parting is how far a release is with asking the siblings.
type parting int

const (
	unasked parting = iota
	asking
	lingering
	askingAgain
	retrying // after a refusal, before asking again
)

// say tells the siblings of a claim's ENI something of its address.
func (l *Ledger) say(c *claim, word Word) {
	if l.cfg.Siblings && c.Table == "" && c.iface != "" {
		l.sayings = append(l.sayings, Saying{Interface: c.iface, Addr: c.Addr, Word: word})
	}
}

// answer tells a sibling something that it asked.
func (l *Ledger) answer(c *claim, word Word, s Saying) {
	l.sayings = append(l.sayings, Saying{Interface: c.iface, Addr: c.Addr, Word: word, Re: s.Re})
}

// greet asks on each interface that is new here who else has our floating IPs: so
// those on one ENI know of each other, and who is alone there need not wait for
// an answer before a release.
func (l *Ledger) greet() {
	if !l.cfg.Siblings || l.closing {
		return
	}
	for _, i := range l.Watched() {
		if l.greeted[i.Name] == i.Index {
			continue
		}
		l.greeted[i.Name] = i.Index
		delete(l.kin, i.Name)
		maps.DeleteFunc(l.heirs, func(h heir, _ bool) bool { return h.iface == i.Name })
		for _, p := range l.cfg.Floating.Addresses {
			if p.IsSingleIP() && !l.isWanted(p.Addr()) {
				l.sayings = append(l.sayings, Saying{Interface: i.Name, Addr: p.Addr(), Word: Asks})
			}
		}
	}
}

// part asks the siblings before an address is released.
func (l *Ledger) part(c *claim, now time.Time) {
	if !l.cfg.Siblings || c.Table != "" || c.parting != unasked || !l.kin[c.iface] {
		return
	}
	c.heir = false
	l.ask(c, asking, now)
}

// ask asks the siblings for an address that is to be released.
func (l *Ledger) ask(c *claim, stage parting, now time.Time) {
	c.parting, c.parted = stage, now
	c.due = now.Add(l.patience(c))
	l.say(c, Asks)
}

// patience is how long a release waits for an answer.
func (l *Ledger) patience(c *claim) time.Duration {
	switch {
	case !l.heirs[heir{c.iface, c.Addr}]:
		return siblingPatience
	case c.parting == asking && !l.closing:
		return heirPatience
	}
	return heirAgain
}

// mayPart says whether a release that is due may go to EC2 now, as far as the
// siblings are concerned.
func (l *Ledger) mayPart(w *Work, c *claim, now time.Time) bool {
	switch {
	case c.parting == asking && c.heir && now.Before(c.parted.Add(linger)):
		c.parting, c.due = lingering, c.parted.Add(linger)
	case c.parting == asking && c.heir, c.parting == lingering, c.parting == retrying:
		l.ask(c, askingAgain, now)
	case l.behind(c, now):
		c.due = now.Add(siblingPatience)
	case c.parting == asking:
		delete(l.heirs, heir{c.iface, c.Addr}) // it is there no more
	}
	return w.ripe(c.due, now)
}

// behind says whether the time for answers passed while this process had no
// CPU. The answers may have come, and are read only now.
func (l *Ledger) behind(c *claim, now time.Time) bool {
	limit := c.parted.Add(siblingsBehind + l.patience(c))
	return (c.parting == asking || c.parting == askingAgain) && now.Sub(c.due) >= siblingPatience && now.Before(limit)
}

// hasten lets a release go to EC2 soon, as the pod ends: the siblings have their
// time to answer, or to take the address, and what was refused has a last chance.
func (l *Ledger) hasten(c *claim, now time.Time) {
	switch {
	case c.parting == lingering:
	case c.parting == asking:
		if due := c.parted.Add(l.patience(c)); due.Before(c.due) {
			c.due = due
		}
	default:
		c.due = now
	}
}

// Heard takes what a sibling said, and tells whether that changed anything.
func (l *Ledger) Heard(now time.Time, s Saying) bool {
	l.kin[s.Interface] = true
	if l.cfg.Floating.contains(s.Addr) && len(l.heirs) < maxHeirs {
		l.heirs[heir{s.Interface, s.Addr}] = true
	}
	c := l.claimOf(s)
	switch {
	case c == nil:
		if s.Word != Asks || !l.cfg.Floating.contains(s.Addr) || l.closing || !l.hasLink(s) {
			return false
		}
		l.sayings = append(l.sayings, Saying{Interface: s.Interface, Addr: s.Addr, Word: MayTake, Re: s.Re})
	case c.flight == eniassign.Release && (s.Word == Holds || s.Word == Asks):
		l.answer(c, LettingGo, s) // even if the address is back
	case c.wanted:
		return l.heardWanted(c, s, now)
	case c.inFlight, c.state != Releasing:
		return false
	case s.Word == Holds && s.Answer:
		l.handOver(c, now)
	case s.Word == Holds && c.parting == lingering:
		c.due = now // the heir has come: ask it
	case s.Word == MayTake && s.Answer:
		c.heir = true
		if c.parting == asking {
			c.due = now // to linger: who else there is can still say that it holds it
		}
	default:
		return false
	}
	return true
}

// heardWanted takes what a sibling said of an address that is here.
func (l *Ledger) heardWanted(c *claim, s Saying, now time.Time) bool {
	switch {
	case s.Word == Asks:
		l.answer(c, Holds, s)
		if c.standing != Acknowledged { // the other leaves it to us, whatever becomes of a call in flight
			c.standing, c.before = InDoubt, InDoubt
		}
	case s.Word == LettingGo && (c.look.IsZero() || c.look.After(now.Add(siblingLook))):
		c.look = now.Add(siblingLook)
	case s.Word != LetGo:
		return false
	case now.Sub(c.crossed) < lookInterval: // no sibling makes us call without end
		c.look = now.Add(siblingLook)
	case c.inFlight:
		c.again, c.crossed = true, now // EC2 may have done the two in either order
	case c.state == Assigned:
		c.crossed = now
		l.holdAgain(c, now)
	default:
		return false
	}
	return true
}

// holdAgain starts to hold an address again that a sibling took off the ENI:
// before or after EC2 did what this side had asked for, nobody knows.
func (l *Ledger) holdAgain(c *claim, now time.Time) {
	l.lose(c, now)
	c.standing = InDoubt
}

// handOver leaves an address to the sibling that has it now.
func (l *Ledger) handOver(c *claim, now time.Time) {
	c.standing = None
	c.reason = reason(HandedOver, eniassign.Permanent,
		fmt.Sprintf("another pod on this worker has it now, on the same %s: left there.", c.ENI))
	l.tell(WasHandedOver, c)
	l.forget(c, now)
}

// claimOf is the claim that a saying is about, nil where there is none.
func (l *Ledger) claimOf(s Saying) *claim {
	for t, c := range l.claims {
		if t.Addr == s.Addr && t.Table == "" && c.iface == s.Interface {
			return c
		}
	}
	return nil
}

func (l *Ledger) hasLink(s Saying) bool {
	return slices.ContainsFunc(l.Watched(), func(i netwatch.Interface) bool { return i.Name == s.Interface })
}

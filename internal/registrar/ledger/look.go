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
	// lookInterval is the time between two looks at who holds an address that
	// another ENI took: whoever lets it go is followed within two seconds.
	lookInterval = 1500 * time.Millisecond
	// firstLook and lastLook are when a floating IP is looked at after it was
	// acknowledged: a rival that claimed it in the same moment is found out
	// long before IMDS tells. Describe lags behind the calls it describes, so
	// not at once.
	firstLook, lastLook = 2 * time.Second, 6 * time.Second
	// lookTogether is how much too early a look may be to share a request.
	lookTogether = 500 * time.Millisecond
	// lookTwice is how many looks must show another holder of an address that
	// was acknowledged here: one may be older than the acknowledgement.
	lookTwice = 2
)

// looksAt is what is under way at routes, or at holders.
func (l *Ledger) looksAt(routes bool) *lookState {
	if routes {
		return &l.routeLook
	}
	return &l.look
}

// A Look asks EC2 where addresses are: which ENIs hold them or, with Tables,
// where their routes lead. It is one filtered request per family or one for all
// tables.
type Look struct {
	About  eniassign.ENI // whose VPC the addresses are of
	Tables []string
	Addrs  []netip.Addr
}

// lookState is what is under way.
type lookState struct {
	inFlight int
	due      time.Time // not before, after a refusal
	attempts int
}

// watchOver sets when a claim is to be looked at next, after it was
// acknowledged, contested or looked at.
func (l *Ledger) watchOver(c *claim, now time.Time) {
	c.look = time.Time{}
	switch age := now.Sub(c.acked); {
	case !c.wanted:
	case c.state == Contested, c.doubts > 0:
		c.look = now.Add(l.stretched(lookInterval))
	case c.state != Assigned:
	case l.urgent(c) && age < firstLook:
		c.look = now.Add(l.stretched(firstLook))
	case l.urgent(c) && age < lastLook:
		c.look = now.Add(l.stretched(lastLook - firstLook))
	case c.Table != "" && l.cfg.DescribeInterval > 0: // IMDS knows no routes
		c.look = now.Add(l.stretched(l.routeInterval()))
	}
}

func (l *Ledger) routeInterval() time.Duration { return min(routeInterval, l.cfg.DescribeInterval) }

// nextLooks asks where the addresses are whose time has come. Routes are asked for
// apart: the right to them, and the rate, are others.
func (l *Ledger) nextLooks(w *Work, now time.Time) {
	for _, routes := range []bool{false, true} {
		state := l.looksAt(routes)
		if state.inFlight > 0 {
			continue
		}
		var looks []Look
		ripe := false
		for _, c := range l.claims {
			if c.watched() && (c.Table != "") == routes {
				ripe = w.ripe(later(c.look, state.due), now) || ripe
			}
		}
		if ripe {
			for _, c := range l.sorted() {
				if c.watched() && (c.Table != "") == routes && l.joins(c, now) {
					looks = l.addLook(looks, c)
				}
			}
		}
		if !routes {
			looks = append(looks, l.nextOwners(w, now)...)
		}
		state.inFlight = len(looks)
		w.Looks = append(w.Looks, looks...)
	}
}

func (c *claim) watched() bool { return c.wanted && !c.busy() && !c.look.IsZero() }

// joins says whether a claim is to be looked at now, when another one is. Of
// routes one request tells of all, so their jitter must not draw them apart.
func (l *Ledger) joins(c *claim, now time.Time) bool {
	early := lookTogether
	if c.Table != "" && c.state == Assigned && c.doubts == 0 && now.Sub(c.acked) >= lastLook {
		early = max(early, l.routeInterval()/stretch)
	}
	return !c.look.After(now.Add(early))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// addLook puts a claim's question to those that one request can carry.
func (l *Ledger) addLook(looks []Look, c *claim) []Look {
	about := l.enis[c.ENI].about()
	i := slices.IndexFunc(looks, func(k Look) bool {
		return (len(k.Tables) > 0) == (c.Table != "") && k.About.VPCID == about.VPCID
	})
	if i < 0 {
		i, looks = len(looks), append(looks, Look{About: about})
	}
	k := &looks[i]
	if !slices.Contains(k.Addrs, c.Addr) {
		k.Addrs = append(k.Addrs, c.Addr)
	}
	if c.Table != "" && !slices.Contains(k.Tables, c.Table) {
		k.Tables = append(k.Tables, c.Table)
	}
	return looks
}

func (s *eniState) about() eniassign.ENI {
	if s == nil {
		return eniassign.ENI{}
	}
	e := s.facts
	e.Addresses = nil
	return e
}

// Looked takes the answer to a Look at holders, which was sent at started.
func (l *Ledger) Looked(now, started time.Time, k Look, holders map[netip.Addr]eniassign.Holder, r *eniassign.Reason) {
	answered := l.lookAnswered(now, k, r)
	if answered {
		for _, a := range k.Addrs {
			l.rememberOwner(a, holders[a].ENI)
		}
	}
	l.seekOwners(now)
	if !answered && r.Code == eniassign.NotAuthorized {
		for _, c := range l.asked(k, started) {
			if c.state == Assigned {
				c.look = time.Time{} // nobody may tell
			}
		}
	}
	if !answered {
		return
	}
	for _, c := range l.asked(k, started) {
		h, held := holders[c.Addr]
		if e := l.enis[c.ENI]; !held && e != nil && inside(c.Addr, e.facts.Prefixes) {
			h.ENI, held = c.ENI, true // EC2 tells no holder of what a prefix brings
		}
		l.located(c, h.ENI, held, now)
	}
}

// LookedUpRoutes takes the answer to a Look at routes, which was sent at started.
func (l *Ledger) LookedUpRoutes(now, started time.Time, k Look, routes []eniassign.Route, r *eniassign.Reason) {
	if !l.lookAnswered(now, k, r) {
		return
	}
	for _, c := range l.asked(k, started) {
		i := slices.IndexFunc(routes, func(r eniassign.Route) bool { return r.Table == c.Table && r.Addr == c.Addr })
		if i < 0 || routes[i].ENI == "" || routes[i].Blackhole && routes[i].ENI != c.ENI {
			l.located(c, "", false, now)
			continue
		}
		if e := l.enis[c.ENI]; e != nil && routes[i].Blackhole {
			e.wish = true // it leads here, no call would better it: is the ENI still here?
		}
		l.located(c, routes[i].ENI, true, now)
	}
}

// lookAnswered notes that an answer came; false where it says nothing.
func (l *Ledger) lookAnswered(now time.Time, k Look, r *eniassign.Reason) bool {
	state := l.looksAt(len(k.Tables) > 0)
	state.inFlight = max(0, state.inFlight-1)
	if r == nil {
		state.due, state.attempts = time.Time{}, 0
		return true
	}
	state.due = now.Add(max(lookInterval, l.delay(r.Class, state.attempts)))
	state.attempts++
	return false
}

// asked are the claims that a look was about, unless something happened to
// them since it was sent.
func (l *Ledger) asked(k Look, started time.Time) []*claim {
	var out []*claim
	for _, c := range l.sorted() {
		about := (len(k.Tables) > 0) == (c.Table != "") && slices.Contains(k.Addrs, c.Addr) &&
			(c.Table == "" || slices.Contains(k.Tables, c.Table)) && l.enis[c.ENI].about().VPCID == k.About.VPCID
		if about && c.watched() && !c.asked.After(started) && !c.answered.After(started) && !c.created.After(started) {
			out = append(out, c)
		}
	}
	return out
}

// located acts on where EC2 says that a claim's address is.
func (l *Ledger) located(c *claim, eni string, held bool, now time.Time) {
	switch {
	case held && eni == c.ENI && c.state == Assigned:
		c.doubts = 0
	case held && eni == c.ENI:
		l.acknowledge(c, AlreadyThere, now)
	case !held && (c.state == Assigned || c.state == Contested):
		l.lose(c, now) // nobody has it: to be held again, which takes it from nobody
	case held && c.state == Assigned:
		if c.doubts++; c.doubts >= lookTwice {
			l.contest(c, l.heldBy(c, eni), now)
		}
	case held && c.state == Contested && (c.reason == nil || c.reason.Owner != eni):
		c.reason = l.heldBy(c, eni)
	}
	l.watchOver(c, now)
}

func (l *Ledger) heldBy(c *claim, eni string) *eniassign.Reason {
	text := fmt.Sprintf("%s is held by %s.", c.Addr, eni)
	if c.Table != "" {
		text = fmt.Sprintf("The route to %s in %s leads to %s.", c.Addr, c.Table, eni)
	}
	r := reason(eniassign.AddressContested, eniassign.Contested, text)
	r.Owner, r.Cure = eni, eniassign.CureContested
	return r
}

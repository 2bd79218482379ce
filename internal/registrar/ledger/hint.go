// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"net/netip"
	"slices"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// nextHints asks IMDS, which costs no EC2 quota, about ENIs with assigned addresses.
func (l *Ledger) nextHints(w *Work, now time.Time) {
	inv := l.inventory.known
	if inv == nil || !inv.FromIMDS {
		return
	}
	for _, i := range inv.ENIs {
		e := l.enis[i.ID]
		if e == nil || e.gone || e.hint.inFlight || !l.holds(e) {
			continue
		}
		if e.hint.due.IsZero() {
			e.hint.due = now.Add(l.stretched(l.cfg.HintInterval))
		}
		if !w.ripe(e.hint.due, now) {
			continue
		}
		e.hint.inFlight = true
		e.hint.due = now.Add(l.stretched(l.cfg.HintInterval))
		w.Hints = append(w.Hints, e.facts)
	}
}

// Hinted takes the answer to one of Work.Hints, which was sent at started.
func (l *Ledger) Hinted(now, started time.Time, id string, e eniassign.ENI, err error) {
	s := l.enis[id]
	if s == nil {
		return
	}
	s.hint.inFlight = false
	if r := ReasonOf(err); r != nil && r.Class != eniassign.Gone { // gone: it shows no address
		l.hintFailed(s, now)
		return
	}
	s.hint.failedSince = time.Time{}
	for _, c := range l.claims {
		if c.ENI != id || c.state != Assigned || c.asked.After(started) {
			continue
		}
		switch {
		case slices.Contains(e.Addresses, c.Addr), within(c, e.Prefixes):
			c.hint = seen
		case c.hint == seen, now.After(c.hintTill):
			c.hint, s.wish = suspect, true
			c.hintTill = now.Add(imdsLag) // one Describe settles one suspicion
		}
	}
}

// hintFailed falls back to EC2 where IMDS has been silent for long.
func (l *Ledger) hintFailed(s *eniState, now time.Time) {
	switch {
	case s.hint.failedSince.IsZero():
		s.hint.failedSince = now
	case l.cfg.DescribeInterval > 0 && now.Sub(s.hint.failedSince) >= l.cfg.DescribeInterval:
		s.hint.failedSince, s.wish = now, true
	}
}

func within(c *claim, prefixes []netip.Prefix) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(c.Addr) })
}

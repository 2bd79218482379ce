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
		soon := now.Add(l.stretched(l.hintInterval(i.ID)))
		if e.hint.due.IsZero() || e.hint.due.After(soon) {
			e.hint.due = soon
		}
		if !w.ripe(e.hint.due, now) {
			continue
		}
		e.hint.inFlight = true
		e.hint.due = soon
		w.Hints = append(w.Hints, e.facts)
	}
}

// hintInterval is how often IMDS is asked about an ENI: more often while it has
// a floating IP, whose loss somebody waits to end.
func (l *Ledger) hintInterval(eni string) time.Duration {
	urgent := func(c *claim) bool { return c.ENI == eni && c.Table == "" && c.state == Assigned && l.urgent(c) }
	if l.some(urgent) {
		return min(l.cfg.HintInterval, lookInterval)
	}
	return l.cfg.HintInterval
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
		if c.ENI != id || c.Table != "" || c.state != Assigned || c.asked.After(started) {
			continue
		}
		switch {
		case slices.Contains(e.Addresses, c.Addr), inside(c.Addr, e.Prefixes):
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

func inside(a netip.Addr, prefixes []netip.Prefix) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

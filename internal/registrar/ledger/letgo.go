// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"slices"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// gone notes that a target is not in the snapshot any more (law 5).
func (l *Ledger) gone(c *claim, now time.Time) {
	if !c.wanted && !c.restored {
		return
	}
	if c.restored {
		c.restored, c.reason = false, nil
	}
	c.wanted, c.attempts, c.due, c.class = false, 0, now, ""
	if l.owners.known[c.Addr] == c.ENI {
		delete(l.owners.known, c.Addr) // it leaves
	}
	if c.Table == "" && l.cfg.Floating.contains(c.Addr) {
		l.owners.due, l.owners.looks = now.Add(ownerDelay), 0 // somebody else will have it
	}
	l.tell(Vanished, c)
	l.letGo(c, now)
}

// letGo starts the release of an unwanted claim, or forgets it.
func (l *Ledger) letGo(c *claim, now time.Time) {
	switch {
	case c.busy(): // the last answer decides
	case !c.releasable(), l.enis[c.ENI].isGone(): // nothing is on an ENI that EC2 does not know
		c.standing = None
		l.forget(c, now)
	case c.standing == InDoubt && c.Table == "" && l.describe.denied && !l.cfg.NeverRelease:
		l.leave(c, now)
	case l.cfg.NeverRelease:
		c.standing = None
		c.reason = reason(KeptOnRequest, eniassign.Permanent, "left on its ENI, as --release=never says.")
		l.forget(c, now)
	default:
		c.set(Releasing, c.reason, now)
		if c.Table != "" {
			c.due = now.Add(l.stretched(routeLinger))
		}
		l.part(c, now)
	}
}

// leave lets go of an address that nobody can tell anything about.
func (l *Ledger) leave(c *claim, now time.Time) {
	c.standing = None
	c.reason = reason(ReleaseUnsure, eniassign.Permanent,
		"it is not known whether EC2 assigned it, and describing the ENI is not allowed: not released.")
	l.tell(NotReleased, c)
	l.forget(c, now)
}

// abandon leaves an address on an ENI that is not this worker's any more.
func (l *Ledger) abandon(c *claim, now time.Time) {
	c.standing = None
	c.reason = reason(ReleaseUnsure, eniassign.Permanent, c.ENI+" is not attached to this worker any more: not released.")
	l.tell(NotReleased, c)
	l.forget(c, now)
}

// forget ends a claim: its row moves to the history.
func (l *Ledger) forget(c *claim, now time.Time) {
	c.set(Released, c.reason, now)
	l.history = append(l.history, l.row(c))
	if extra := len(l.history) - historyLength; extra > 0 {
		l.history = slices.Delete(l.history, 0, extra)
	}
	delete(l.claims, c.Target)
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"fmt"
	"slices"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// inventoryCap bounds the time between two looks for an ENI that was not found:
// one may be attached at any time.
const inventoryCap = 30 * time.Second

// inventoryQuick is how many failed looks are followed by a quick one.
const inventoryQuick = 5

// imdsSoon is when an IMDS that gave no inventory is tried again, alone: it doubles
// up to imdsRarely. Many pods that start at once make IMDS, and this process, slow
// for a moment; without IMDS a rival is not noticed within seconds.
const imdsSoon, imdsRarely = 15 * time.Second, time.Minute

// nextInventory asks for the worker's ENIs where they are not known, where one
// went, where an interface has none, and where an address lies outside of the
// blocks of the ENI's subnet, which may get more.
func (l *Ledger) nextInventory(w *Work, now time.Time) {
	s := &l.inventory
	if s.inFlight {
		return
	}
	needed := l.inventoryNeeded() && w.ripe(s.due, now)
	again := l.blind() && l.cfg.DescribeInterval != 0 && w.ripe(s.again, now)
	alone := l.blind() && w.ripe(s.imds, now) // what is needed meanwhile waits for it, a second at most
	switch {
	case needed, again: // it begins with IMDS, too
		s.inFlight, s.macs = true, l.macs()
		w.Inventory, w.MACs = true, s.macs
	case alone:
		s.inFlight, s.alone = true, true
		w.Inventory = true
	}
}

// blind says that nothing tells of lost addresses: IMDS gives no hints.
func (l *Ledger) blind() bool {
	return l.inventory.known != nil && !l.inventory.known.FromIMDS && l.holdsAny()
}

// holdsAny says whether any address is assigned.
func (l *Ledger) holdsAny() bool {
	for _, e := range l.enis {
		if l.holds(e) {
			return true
		}
	}
	return false
}

func (l *Ledger) inventoryNeeded() bool {
	return l.inventory.known == nil || l.missesENI() || l.unplacedFor(eniassign.AddressOutsideSubnet) ||
		l.unplacedFor(eniassign.AmbiguousENI)
}

// missesENI says that an ENI went, or that an interface has none.
func (l *Ledger) missesENI() bool {
	for _, e := range l.enis {
		if e.gone {
			return true
		}
	}
	return l.unplacedFor(eniassign.NoENI)
}

func (l *Ledger) unplacedFor(code eniassign.Code) bool {
	return slices.ContainsFunc(l.unplaced, func(u unplaced) bool { return u.reason.Code == code })
}

// Inventoried takes the answer to Work.Inventory, which was sent at started. A
// failed look loses nothing of what was known.
func (l *Ledger) Inventoried(now, started time.Time, inv eniassign.Inventory, r *eniassign.Reason) {
	s := &l.inventory
	alone := s.alone
	s.inFlight, s.alone = false, false
	if alone && r != nil {
		l.imdsAgain(now)
		return
	}
	s.again = now.Add(l.stretched(l.cfg.DescribeInterval))
	if l.closing {
		return
	}
	if r != nil {
		if s.reason == nil || s.reason.Code != r.Code {
			l.events = append(l.events, Event{Kind: NoInventory, Reason: r})
		}
		s.reason, s.due = r, now.Add(l.inventoryDelay(r.Class))
		s.attempts++
		return
	}
	if s.known == nil {
		l.events = append(l.events, Event{Kind: InventoryTaken})
	}
	listed := inv.ENIs
	if s.known != nil {
		inv.ENIs = append(slices.Clone(listed), l.unlisted(inv)...)
	}
	s.reason, s.known = nil, &inv
	if !alone {
		s.looked = s.macs
	}
	if inv.FromIMDS {
		s.stumbles = 0
	} else {
		l.imdsAgain(now)
	}
	for _, e := range listed {
		l.learn(e, !inv.FromIMDS, now)
	}
	for id, e := range l.enis {
		if e.gone && !slices.ContainsFunc(inv.ENIs, func(i eniassign.ENI) bool { return i.ID == id }) {
			delete(l.enis, id)
		}
	}
	l.place(now)
	if !inv.FromIMDS { // EC2 has just said what is there
		for _, e := range listed {
			l.compare(l.enis[e.ID], started, now)
		}
	}
	if !l.inventoryNeeded() {
		s.attempts = 0
		return
	}
	if !slices.Equal(l.macs(), s.macs) { // an interface came meanwhile
		s.attempts, s.due = 0, now
		return
	}
	base, limit := PermanentBase, PermanentCap // a subnet rarely gets blocks
	if l.missesENI() {
		base, limit = time.Second, inventoryCap
	}
	s.due = now.Add(l.stretched(double(base, s.attempts, limit)))
	s.attempts++
}

// imdsAgain sets when IMDS alone is tried again, which gave no inventory.
func (l *Ledger) imdsAgain(now time.Time) {
	s := &l.inventory
	s.imds = now.Add(l.stretched(double(imdsSoon, s.stumbles, imdsRarely)))
	s.stumbles++
}

// unlisted are the known ENIs that an inventory leaves out. Those below an interface
// or with claims stay until EC2 has been asked of them: IMDS's silence is a hint
// only, and so is EC2's of MACs that it was not asked for.
func (l *Ledger) unlisted(inv eniassign.Inventory) []eniassign.ENI {
	var out []eniassign.ENI
	for _, old := range l.inventory.known.ENIs {
		e := l.enis[old.ID]
		if e == nil || e.gone || slices.ContainsFunc(inv.ENIs, func(i eniassign.ENI) bool { return i.ID == old.ID }) {
			continue
		}
		interest := l.ofInterest(e)
		e.wish = e.wish || interest
		if interest || !inv.FromIMDS && !slices.Contains(l.inventory.macs, old.MAC) {
			out = append(out, old)
		}
	}
	return out
}

// inventoryDelay is how long to wait after a failed look: a little at first,
// since a worker's IMDS may be slow to come up, then as the refusal deserves.
func (l *Ledger) inventoryDelay(class eniassign.Class) time.Duration {
	if l.inventory.attempts < inventoryQuick {
		return l.fullJitter(l.inventory.attempts, RetryBase, RetryCap)
	}
	return l.delay(class, l.inventory.attempts-inventoryQuick)
}

// learn takes an ENI of the inventory. What only EC2 tells stays known.
func (l *Ledger) learn(e eniassign.ENI, fromEC2 bool, now time.Time) {
	s := l.enis[e.ID]
	if s == nil {
		s = &eniState{}
		l.enis[e.ID] = s
	} else if !fromEC2 {
		e.Tags, e.PrimaryIPv6, e.SourceDestCheck = s.facts.Tags, s.facts.PrimaryIPv6, s.facts.SourceDestCheck
	}
	if fromEC2 && s.facts.ID != "" { // only IMDS tells
		e.CIDRs, e.InstanceType = s.facts.CIDRs, s.facts.InstanceType
	}
	before := s.facts
	s.facts, s.gone = e, false
	l.noteCheck(s, before, now)
	if fromEC2 {
		s.described, s.tagDue = true, now.Add(l.stretched(tagInterval))
		s.checkDue = now.Add(l.stretched(checkInterval))
	}
}

// inventoryReason is why no address can be placed yet.
func (l *Ledger) inventoryReason() *eniassign.Reason {
	if l.inventory.reason != nil {
		return l.inventory.reason
	}
	return reason(InventoryUnknown, eniassign.Transient, fmt.Sprintf("looking up the worker's ENIs for %v", l.inventory.macs))
}

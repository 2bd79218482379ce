// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"net/netip"
	"slices"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// A Record is what of a claim must outlive a restart.
type Record struct {
	Address   netip.Addr `json:"address"`
	ENI       string     `json:"eni"`
	Table     string     `json:"routeTable,omitempty"`
	Interface string     `json:"interface,omitempty"`
	MAC       string     `json:"mac,omitempty"`
	Standing  Standing   `json:"standing"`
	// Since is when the standing began; for InDoubt, when the call was sent.
	Since time.Time `json:"since"`
	// Held says of InDoubt that the call had no right to take the address from
	// another ENI; a restart does not give it that.
	Held bool `json:"held,omitempty"`
}

func (r Record) target() Target { return Target{r.ENI, r.Table, r.Address} }

// Records are the claims that must outlive a restart, sorted.
func (l *Ledger) Records() []Record {
	var out []Record
	for _, c := range l.claims {
		if s := c.lasting(); s != None {
			out = append(out, Record{c.Addr, c.ENI, c.Table, c.iface, c.mac, s, c.asked,
				s == InDoubt && (c.verb == eniassign.Hold || c.state == Contested)})
		}
	}
	slices.SortFunc(out, func(a, b Record) int {
		return a.target().compare(b.target())
	})
	return out
}

// lasting is the standing that a restart is to find.
func (c *claim) lasting() Standing {
	switch {
	case c.wanted && c.standing == Acknowledged && c.verb == eniassign.Claim && (c.state == Pending || c.state == Assigning):
		return InDoubt // it has appeared again since
	case c.wanted && c.standing == None && c.verb == eniassign.Hold:
		return Lost // present: a restart must not make it an appearance
	}
	return c.standing
}

// Restore takes up what an earlier run of this container recorded. Call it
// once, before anything else. A restart is not an appearance (law 6): what
// was acknowledged will be held, not claimed.
func (l *Ledger) Restore(now time.Time, records []Record) {
	for _, r := range records {
		t := r.target()
		c := &claim{Target: t, iface: r.Interface, mac: r.MAC, standing: r.Standing, asked: r.Since,
			restored: true, verb: eniassign.Hold, created: now, noticed: now}
		// A claim that was under way moments ago is finished as what it was.
		// Later, or when the clock has jumped, somebody else may be active.
		if age := now.Sub(r.Since); r.Standing == InDoubt && !r.Held && age >= 0 && age < l.cfg.HoldDown {
			c.verb = eniassign.Claim
		}
		if c.asked.After(now) { // the clock has jumped; nothing that EC2 says would be newer
			c.asked = now
		}
		c.set(Pending, reason(Restored, eniassign.Transient, "taken over from the state file; the pod's interfaces have not been read yet"), now)
		l.claims[t] = c
	}
}

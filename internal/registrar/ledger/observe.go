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

// A want is an address on an interface that is looked after.
type want struct {
	iface, mac, kind string
	addr             netip.Addr
}

// An unplaced want has no ENI that it could be assigned to.
type unplaced struct {
	want
	eni    string // the one that is refused, "" where there is none
	reason *eniassign.Reason
	since  time.Time
}

// Observe takes what the kernel says now. It is the truth of what is wanted.
func (l *Ledger) Observe(now time.Time, s netwatch.Snapshot) {
	if l.closing {
		return
	}
	if !l.observed {
		l.observed, l.owners.due = true, now
	}
	l.links, l.noticed, l.seen = s.Interfaces, s.Noticed, now
	if macs := l.macs(); !slices.Equal(macs, l.inventory.macs) {
		l.inventory.attempts, l.inventory.due = 0, now
	}
	l.place(now)
}

// SetDefaultInterfaces changes which interfaces are the pod's default network.
func (l *Ledger) SetDefaultInterfaces(now time.Time, names []string) {
	if slices.Equal(names, l.cfg.DefaultInterfaces) {
		return
	}
	l.cfg.DefaultInterfaces = names
	l.placeAnew(now)
}

// wants are the addresses of the interfaces that are looked after.
func (l *Ledger) wants() []want {
	var out []want
	for _, i := range l.Watched() {
		for _, p := range i.Prefixes {
			if p.Addr().Is4In6() {
				continue // no address of a VPC; pkg/netwatch leaves it out, too
			}
			out = append(out, want{i.Name, i.MAC, i.Kind, p.Addr()})
		}
	}
	return out
}

// place gives every wanted address its target, makes claims of those that
// appeared, and lets go of those that went.
func (l *Ledger) place(now time.Time) {
	if l.inventory.known == nil || !l.observed || l.closing {
		return
	}
	if l.refused = l.hostNetwork(); l.refused != nil {
		return
	}
	placed, failed := l.targets()
	l.noteUnplaced(failed, now)
	present := l.present()
	for _, c := range l.sorted() {
		if _, ok := placed[c.Target]; ok {
			continue
		}
		misplaced := slices.ContainsFunc(failed, func(u unplaced) bool { return u.addr == c.Addr })
		if misplaced && c.standing == None && !c.busy() {
			delete(l.claims, c.Target) // still there, and never asked for
			continue
		}
		l.gone(c, now)
	}
	for _, t := range slices.SortedFunc(maps.Keys(placed), Target.compare) {
		l.wanted(t, placed[t], present[t.kind()], now)
	}
}

// placeAnew places what the kernel has had all along: what follows from that
// answers no change in the kernel, and its time is not that of a failover.
func (l *Ledger) placeAnew(now time.Time) {
	noticed := l.noticed
	l.noticed = time.Time{}
	l.place(now)
	l.noticed = noticed
}

// targets matches every want with its ENI.
func (l *Ledger) targets() (map[Target]want, []unplaced) {
	var failed []unplaced
	first := map[netip.Addr]string{} // the ENI that an address was matched with first
	from := map[netip.Addr]want{}    // what it is wanted for, unless nobody may guess where
	for _, w := range l.wants() {
		id, r := l.match(w)
		if r != nil {
			failed = append(failed, unplaced{want: w, eni: id, reason: r})
			continue
		}
		other, twice := first[w.addr]
		prev, has := from[w.addr]
		if !twice || other == id && has {
			first[w.addr], from[w.addr] = id, w
			continue
		}
		// One address on two ENIs: EC2 can deliver it to one only. The one
		// that had it first keeps it; without one, nobody may guess.
		keeps := l.has(id, w.addr)
		if has && (keeps || !l.has(other, w.addr)) {
			failed = append(failed, unplaced{want: prev, reason: twiceReason(w.addr, other, id)})
			delete(from, w.addr)
		}
		if keeps {
			first[w.addr], from[w.addr] = id, w
			continue
		}
		failed = append(failed, unplaced{want: w, reason: twiceReason(w.addr, id, other)})
	}
	placed := map[Target]want{}
	for a, w := range from {
		for _, t := range l.targetsOn(a, first[a]) {
			placed[t] = w
		}
	}
	return placed, failed
}

func twiceReason(a netip.Addr, one, two string) *eniassign.Reason {
	r := reason(AddressTwice, eniassign.Permanent,
		fmt.Sprintf("%s is on two interfaces of the pod, above %s and above %s.", a, one, two))
	r.Cure = "EC2 delivers an address to one ENI only: take it off one of the interfaces."
	return r
}

// has says that EC2 has, or has had, the address on the ENI because of us, or a
// route to it.
func (l *Ledger) has(eni string, a netip.Addr) bool {
	return l.some(func(c *claim) bool { return c.ENI == eni && c.Addr == a && c.standing != None })
}

// noteUnplaced keeps the time since when an address has had no ENI.
func (l *Ledger) noteUnplaced(failed []unplaced, now time.Time) {
	for i := range failed {
		failed[i].since = now
		known := slices.IndexFunc(l.unplaced, func(u unplaced) bool {
			return u.want == failed[i].want && u.reason.Code == failed[i].reason.Code
		})
		if known >= 0 {
			failed[i].since = l.unplaced[known].since
			continue
		}
		l.events = append(l.events, Event{Kind: Misplaced, Target: Target{Addr: failed[i].addr},
			Interface: failed[i].iface, Reason: failed[i].reason})
	}
	l.unplaced = failed
}

// wanted notes that a target is in the snapshot. What was not in the last one
// has appeared and is claimed (law 3); what a restart brought back is held (law 6),
// and so is what was present before as another target.
func (l *Ledger) wanted(t Target, w want, present bool, now time.Time) {
	c, known := l.claims[t]
	if known && c.wanted {
		c.iface, c.mac = w.iface, w.mac
		return
	}
	if !known {
		c = &claim{Target: t, verb: eniassign.Claim}
		l.claims[t] = c
	}
	c.iface, c.mac, c.wanted = w.iface, w.mac, true
	c.attempts, c.due, c.class = 0, now, ""
	if !c.restored {
		c.verb, c.created, c.noticed, c.late = eniassign.Claim, l.seen, l.noticed, l.wasReady
		c.steals = 0
		if present {
			c.verb = eniassign.Hold
		}
	}
	c.restored = false
	c.parting, c.again, c.had = unasked, false, false
	if c.inFlight && c.flight != eniassign.Release {
		// Since it was sent EC2 may have moved the address for somebody else: its answer
		// tells nothing of this appearance, which is claimed at once (law 3).
		c.inFlight, c.flight = false, 0
		c.earlier++
	}
	if !c.inFlight {
		c.set(Pending, nil, now)
	}
	l.tell(Appeared, c)
	if l.urgent(c) {
		l.say(c, Holds)
	}
}

// Wants says that one of the call's addresses at least is still wanted where the
// call assigns it.
func (l *Ledger) Wants(call eniassign.Call) bool {
	return slices.ContainsFunc(call.Addrs, func(a netip.Addr) bool {
		c := l.claims[Target{call.ENI, call.Table, a}]
		return c != nil && c.wanted
	})
}

// A kind is a secondary address of an ENI, or all its routes to an ENI.
type kind struct {
	eni   string
	route bool
	addr  netip.Addr
}

func (t Target) kind() kind { return kind{t.ENI, t.Table != "", t.Addr} }

// present are the targets that do not appear by being new: the routes of an
// address that has others to the ENI, in tables named before, and those of a
// secondary address, or the reverse, that EC2 once acknowledged, that is held, or
// that is contested.
func (l *Ledger) present() map[kind]bool {
	out := map[kind]bool{}
	for t, c := range l.claims {
		if !c.wanted && !c.restored {
			continue
		}
		k := t.kind()
		if k.route {
			out[k] = true
		}
		if c.verb == eniassign.Hold || c.state == Contested || c.standing == Acknowledged || c.standing == Lost {
			out[kind{k.eni, !k.route, k.addr}] = true
		}
	}
	return out
}

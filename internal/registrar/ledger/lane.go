// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"slices"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// patience is how long an urgent claim waits for an earlier call of its lane:
// the addresses of one failover appear within milliseconds and are to share a
// call, but none of them waits for an EC2 that is slow.
const patience = 250 * time.Millisecond

// maxEarlier is how many calls for earlier appearances a claim may leave behind.
// EC2 is to have the claims of an address in the order of its appearances, here and
// elsewhere; one that flaps must not use the account's calls up.
const maxEarlier = 1

// A lane is where calls follow one another: what comes while one is in flight
// forms the next (law 1), but for what appears again (ADR 10). Urgent claims have lanes of their own, so that a
// floating IP never waits behind other addresses. Calls for routes have none:
// each is about one route and waits for nothing.
type lane struct {
	eni     string
	family  eniassign.Family
	release bool
	urgent  bool
}

// traffic is what is under way in a lane.
type traffic struct {
	calls int
	last  time.Time // when the last one left
}

func (l *Ledger) laneOf(c *claim, v eniassign.Verb) lane {
	return lane{c.ENI, eniassign.FamilyOf(c.Addr), v == eniassign.Release, l.urgent(c)}
}

// mayLeave says whether a claim's lane is free now; if time alone will free
// it, it sets the alarm.
func (l *Ledger) mayLeave(w *Work, c *claim, v eniassign.Verb, now time.Time) bool {
	ahead := l.lanes[l.laneOf(c, v)]
	switch {
	case c.earlier > 0:
		return c.earlier <= maxEarlier
	case c.Table != "", ahead.calls == 0:
		return true
	case l.urgent(c):
		return w.ripe(ahead.last.Add(patience), now)
	}
	return false // the answer to what is in flight comes first
}

// enter notes that a call is in flight.
func (l *Ledger) enter(call eniassign.Call, now time.Time) {
	if call.Table != "" {
		return
	}
	var on []lane
	for _, a := range call.Addrs {
		if ln := l.laneOf(l.claims[Target{ENI: call.ENI, Addr: a}], call.Verb); !slices.Contains(on, ln) {
			on = append(on, ln)
		}
	}
	for _, ln := range on {
		l.lanes[ln] = traffic{l.lanes[ln].calls + 1, now}
	}
	l.onLanes[call.ID] = on
}

// exit notes that a call is answered.
func (l *Ledger) exit(call eniassign.Call) {
	for _, ln := range l.onLanes[call.ID] {
		if t := l.lanes[ln]; t.calls > 1 {
			l.lanes[ln] = traffic{t.calls - 1, t.last}
		} else {
			delete(l.lanes, ln)
		}
	}
	delete(l.onLanes, call.ID)
}

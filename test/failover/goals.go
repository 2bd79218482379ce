// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
)

// A goal is what a scenario must reach, IPv4 first. Packets count from the
// moment at which keepalived is done: what comes before is its configuration's.
type goal struct {
	// lost are the packets that may be lost, a millisecond each; none is any.
	lost [2]int
	// inTable is the same for a route table in which it is something else.
	inTable map[string][2]int
	// taken is how often an address may be taken from another pod's ENI.
	taken [2]int
	// today is what holds now where the goal for lost is not reached yet; 0 is
	// the goal itself.
	today [2]int
}

// but says what holds as long as the goal for lost is not reached.
func (g goal) but(ipv4, ipv6 int) goal {
	g.today = [2]int{ipv4, ipv6}
	return g
}

// none is no goal.
const none = -1

// anyLoss is no goal for what is lost.
var anyLoss = [2]int{none, none}

const (
	// ec2 is how long EC2 takes for a call in world.yaml.
	ec2 = 100
	// own is what the registrar may add to that, boot what it takes to start.
	own, boot = 10, 60
	// asking is what a move of an IPv6 address takes today whose owner does not
	// release it: assign, refused; describe; unassign; assign.
	asking = 4 * (ec2 + own)
	// again is how long after EC2's return a retry may come: ledger.RetryCap.
	again = 5000
	// holdDown is how long a contested address is left alone.
	holdDown = 10 * time.Second
	// knew is how soon a pod has its traffic back that knew it had lost it.
	knew = 2000
)

var (
	nothing = goal{lost: [2]int{0, 0}, taken: [2]int{0, 0}}
	// The old pod releases; one call moves an IPv4 address in any case.
	atOnce = goal{lost: [2]int{ec2 + own, ec2 + own}, taken: [2]int{1, 1}}
	// It does not: EC2 has no reassignment of IPv6, so it is two calls at least.
	atOnceTaken = goal{lost: [2]int{ec2 + own, 2*ec2 + own}, taken: [2]int{1, 1}}.but(0, asking)
	// The registrar that is to claim starts first, and looks what is there.
	restarted = goal{lost: [2]int{1000 + boot + 2*ec2 + own, 1000 + boot + 2*ec2 + own}, taken: [2]int{1, 1}}
	// The address stays on its ENI.
	sameENI   = goal{lost: [2]int{own, own}, taken: [2]int{0, 0}}.but(ec2+own, ec2+own)
	stateOnly = goal{lost: anyLoss, taken: [2]int{1, 1}}
)

func answering(latency time.Duration) goal {
	ms := int(latency.Milliseconds())
	return goal{lost: [2]int{ms + own, ms + own}, taken: [2]int{1, 1}}
}

func afterOutage(lasting time.Duration) goal {
	most := int(lasting.Milliseconds()) + again + 2*ec2 + own
	return goal{lost: [2]int{most, most}, taken: [2]int{1, 1}}
}

// tableLate: EC2 refuses what changes one route table for a while, and the last
// retry that it refuses comes just before the end; then the next one counts.
func tableLate(table string, lasting time.Duration) goal {
	most := int((lasting + ledger.UrgentRetryCap).Milliseconds()) + 2*ec2 + own
	g := atOnce
	g.inTable = map[string][2]int{table: {most, most}}
	return g
}

// healed: one claim by the pod that becomes active, then one for each hold-down
// at most; the survivor knew that it had lost the address.
func healed(split time.Duration) goal {
	most := 1 + int(split/holdDown)
	g := goal{lost: [2]int{knew, knew}, taken: [2]int{most, most}}
	// The survivor does not look before its hold-down is over.
	next := int(holdDown.Milliseconds())
	return g.but(next, next)
}

// healedUnknown: it learns of it from IMDS.
func healedUnknown(stale time.Duration) goal {
	most := int(stale.Milliseconds()) + knew
	return goal{lost: [2]int{most, most}, taken: [2]int{1, 1}}
}

// healedRoutes: it learns of it when it next looks at its routes.
func healedRoutes(split time.Duration) goal {
	g := healedUnknown(routeLooks)
	g.taken = healed(split).taken
	return g
}

// flapped: each change may take the address.
func flapped(times int) goal {
	return goal{lost: [2]int{ec2 + own, ec2 + own}, taken: [2]int{times, times}}
}

// of is what may be lost of a family, and how often it may be taken.
func (g goal) of(f Family) (lost, taken int) {
	i := 0
	if f.Address.Is6() {
		i = 1
	}
	lost = g.lost[i]
	if other, is := g.inTable[f.RouteTable]; is {
		lost = other[i]
	}
	return lost, g.taken[i]
}

// missed says which goals a result has missed.
func (g goal) missed(r Result) (over []string) {
	for _, f := range r.Families {
		if lost, _ := g.of(f); lost != none && f.LostAfter > lost {
			over = append(over, fmt.Sprintf("%s: %d packets lost after keepalived was done, want ≤ %d", f.way(), f.LostAfter, lost))
		}
	}
	return append(over, g.overtaken(r)...)
}

// overtaken says what was taken more often than it may be.
func (g goal) overtaken(r Result) (over []string) {
	for _, f := range r.Families {
		if _, taken := g.of(f); taken != none && f.Taken > taken {
			over = append(over, fmt.Sprintf("%s: taken %d times from the other pod's ENI, want ≤ %d", f.way(), f.Taken, taken))
		}
	}
	return over
}

// broken says what does not hold that does today, give or take some packets.
func (g goal) broken(r Result, slack int) []string {
	relaxed := func(most [2]int) [2]int {
		for i := range most {
			if g.today[i] > 0 {
				most[i] = g.today[i]
			}
			if most[i] != none {
				most[i] += slack
			}
		}
		return most
	}
	now := goal{lost: relaxed(g.lost), inTable: map[string][2]int{}, taken: g.taken}
	for table, most := range g.inTable {
		now.inTable[table] = relaxed(most)
	}
	return now.missed(r)
}

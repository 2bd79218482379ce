// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// A State is where an address stands on its way.
type State string

// The states, in the order in which an address moves through them.
const (
	Pending   State = "Pending"   // wanted; not asked for yet, or to be asked again soon
	Assigning State = "Assigning" // a call is in flight
	Assigned  State = "Assigned"  // EC2 has acknowledged it
	Contested State = "Contested" // another ENI holds it; left alone until the hold-down ends
	Failed    State = "Failed"    // refused until somebody changes something; asked again slowly
	Releasing State = "Releasing" // gone from the pod, not yet off the ENI
	Released  State = "Released"  // off the ENI
)

// States are all of them, for metrics and tables.
var States = [...]State{Pending, Assigning, Assigned, Contested, Failed, Releasing, Released}

// A Target is what a claim is about: an address that is to be a secondary
// address of an ENI or, where Table is set, the destination of a route to the ENI
// in that route table.
type Target struct {
	ENI   string
	Table string // route table ID, "" for a secondary address
	Addr  netip.Addr
}

// where says in a few words what the address is to be.
func (t Target) where() string {
	if t.Table == "" {
		return t.ENI
	}
	return t.ENI + ", route in " + t.Table
}

func (t Target) compare(o Target) int {
	return cmp.Or(cmp.Compare(t.ENI, o.ENI), t.Addr.Compare(o.Addr), cmp.Compare(t.Table, o.Table))
}

// Standing is what EC2 owes us of a target, as far as we know.
type Standing string

// The standings. They outlive a restart in the state file.
const (
	// None: never asked, or known not to be there.
	None Standing = ""
	// Acknowledged: EC2 said that it is on the ENI because of us.
	Acknowledged Standing = "acknowledged"
	// InDoubt: asked, and the answer is not known.
	InDoubt Standing = "in-doubt"
	// Lost: acknowledged once, then found elsewhere or nowhere.
	Lost Standing = "lost"
)

// A claim is the account of one target.
type claim struct {
	Target
	iface string
	mac   string

	state  State
	since  time.Time // of state
	reason *eniassign.Reason

	wanted   bool           // in the last snapshot
	restored bool           // from the state file, and not compared with the kernel yet
	standing Standing       // what EC2 owes us
	before   Standing       // before the call in flight: a refusal restores it
	asked    time.Time      // when standing was last changed by a call of ours
	answered time.Time      // when the last answer to a call of ours came
	acked    time.Time      // when EC2 last acknowledged it
	verb     eniassign.Verb // how to assign next: Claim or Hold
	created  time.Time      // when the address was first wanted, or restored
	noticed  time.Time      // when the kernel's notification was read
	late     bool           // appeared after the first time that all were routed: a failover

	inFlight bool
	flight   eniassign.Verb // of the call in flight, 0 for none
	call     uint64         // the call in flight, or the last one
	earlier  int            // calls for earlier appearances that are not answered yet
	had      bool           // one of them was acknowledged since it appeared
	due      time.Time      // not before
	attempts int            // refusals of one class in a row
	refused  time.Time      // when the first of them came
	class    eniassign.Class

	steals   int       // claims after a hold-down
	hint     hintState // what IMDS said of it
	hintTill time.Time // IMDS's silence means nothing until then

	look   time.Time // when to look next who holds it; zero for never
	doubts int       // looks in a row that showed another holder

	parting parting   // how far its release is with asking the siblings
	parted  time.Time // when they were last asked
	heir    bool      // one of them may take it
	again   bool      // a sibling's release crossed the call in flight
	crossed time.Time // when a sibling last said that it let go of it
}

// hintState is what the last look at IMDS said of an acknowledged address.
type hintState int

const (
	unseen  hintState = iota // not shown yet since the acknowledgement
	seen                     // shown
	suspect                  // not shown although it should be: to be confirmed
)

func (c *claim) set(s State, r *eniassign.Reason, now time.Time) {
	if c.state != s {
		c.state, c.since = s, now
	}
	c.reason = r
}

// releasable says that the address may be on the ENI because of us.
func (c *claim) releasable() bool { return c.standing == Acknowledged || c.standing == InDoubt }

// settled says that no call about the claim will ever be needed again.
func (c *claim) settled() bool { return !c.wanted && !c.busy() && !c.releasable() }

// busy says that a call about the claim is not answered yet.
func (c *claim) busy() bool { return c.inFlight || c.earlier > 0 }

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
)

// A Ledger is the account of all claims. It is not safe for concurrent use.
type Ledger struct {
	cfg  Config
	rand func() float64 // in [0, 1)

	observed bool
	closing  bool
	wasReady bool
	links    []netwatch.Interface // of the last snapshot, all of them
	noticed  time.Time
	seen     time.Time // when the last snapshot came

	inventory inventoryState
	describe  describeState
	enis      map[string]*eniState
	look      lookState // at holders
	routeLook lookState // at routes
	owners    ownerState
	probes    map[string]*probe // by route table
	sayings   []Saying
	kin       map[string]bool // interfaces on which a sibling was heard
	heirs     map[heir]bool
	greeted   map[string]int // interfaces by name on which they were greeted: their index

	claims   map[Target]*claim
	unplaced []unplaced
	lanes    map[lane]traffic
	onLanes  map[uint64][]lane // of the calls in flight, by ID
	lastCall uint64            // the ID of the last call
	refused  *eniassign.Reason // why nothing at all may be done here
	jitter   float64           // of the retries after one call
	history  []Row
	events   []Event
}

// inventoryState is what is known of the worker's ENIs as a whole.
type inventoryState struct {
	known    *eniassign.Inventory
	reason   *eniassign.Reason // why it is not known
	inFlight bool
	alone    bool // it is IMDS alone that is asked
	due      time.Time
	attempts int
	macs     []string  // of the interfaces, when it was last asked for
	looked   []string  // of the interfaces, when it was last taken
	again    time.Time // where IMDS gives no hints
	imds     time.Time // when IMDS alone is asked whether it is back
	stumbles int       // how often it was not there
}

// describeState is the one filtered Describe that may be in flight.
type describeState struct {
	refused  time.Time // when the first of the attempts was
	inFlight bool
	due      time.Time
	attempts int
	denied   bool
	reason   *eniassign.Reason
}

// eniState is what is known of one ENI.
type eniState struct {
	facts     eniassign.ENI
	described bool // once in this run, or the right to is missing
	wish      bool // is to be described again
	gone      bool // EC2 does not know it any more
	hint      struct {
		inFlight    bool
		due         time.Time
		failedSince time.Time
	}
	tagDue   time.Time           // where the ENI is refused for want of its tag
	checkDue time.Time           // where its source/destination check is on
	released time.Time           // the last release, which made room
	inside   map[netip.Addr]bool // what EC2 refused to route because the VPC's blocks contain it
}

// New makes an empty ledger. rand gives numbers in [0, 1) for the jitter.
func New(cfg Config, rand func() float64) *Ledger {
	return &Ledger{
		cfg: cfg, rand: rand,
		enis:    map[string]*eniState{},
		claims:  map[Target]*claim{},
		probes:  map[string]*probe{},
		kin:     map[string]bool{},
		heirs:   map[heir]bool{},
		greeted: map[string]int{},
		owners:  ownerState{known: map[netip.Addr]string{}},
		lanes:   map[lane]traffic{},
		onLanes: map[uint64][]lane{},
	}
}

// sorted are the claims in a fixed order, so that equal histories give equal work.
func (l *Ledger) sorted() []*claim {
	return slices.SortedFunc(maps.Values(l.claims), func(a, b *claim) int {
		return a.Target.compare(b.Target)
	})
}

// some says whether any claim is like that.
func (l *Ledger) some(is func(*claim) bool) bool {
	for _, c := range l.claims {
		if is(c) {
			return true
		}
	}
	return false
}

// Shutdown says that the pod ends: every address counts as gone from now on.
func (l *Ledger) Shutdown(now time.Time) {
	l.closing = true
	l.links, l.unplaced = nil, nil
	l.describe.due = now
	for _, c := range l.sorted() {
		l.gone(c, now)
		lingers := c.Table != "" && c.attempts == 0
		if !c.busy() && !lingers {
			l.hasten(c, now)
		}
	}
}

// Drained says that nothing is left to release and no call is in flight.
func (l *Ledger) Drained() bool {
	return !l.some(func(c *claim) bool { return !c.settled() })
}

// Refused is why nothing may be done in this namespace at all, nil if it may.
func (l *Ledger) Refused() *eniassign.Reason { return l.refused }

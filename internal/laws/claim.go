// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package laws

import (
	"net/netip"
	"time"
)

// A route is a destination in a table, or with none a secondary address; a lead
// is that and where to.
type route struct {
	table string
	addr  netip.Addr
}

type lead struct {
	route
	eni string
}

// A pod is what is known of one pod.
type pod struct {
	name    string
	eni     string          // below its interface
	enis    map[string]bool // since it was made
	started time.Time       // of its registrar's process
	claims  map[route]*claim
}

// A claim is how a pod stands to an address.
type claim struct {
	present  bool
	appeared time.Time
	entitled bool            // it appeared, or its hold-down ended, and no answer to a call since came yet
	acked    time.Time       // since it appeared; zero for never
	won      time.Time       // when it was acknowledged with the right to take it
	claiming time.Time       // when it was last asked for with the right to take it; zero since the answer
	asked    time.Time       // when it was last asked for
	doubt    bool            // an answer was lost since it appeared where it is
	told     bool            // a sibling may have been told that it is here, and have left it to this pod
	lost     time.Time       // when another took it last
	takes    int             // after hold-downs
	sure     map[string]bool // the ENIs that EC2 has, or may have, assigned it to for this pod
	flying   int             // Assigns without an answer
	answered time.Time       // the last of them that has one
	owes     *debt
}

// A debt is an IPv6 address that was unassigned at its owner and must be
// assigned at once.
type debt struct {
	from    string
	since   time.Time
	crossed bool // no answer had come that made it needless
	worked  bool
	claimed bool
	waived  bool // nobody wants it here any more
}

// claim is the pod's claim of a secondary address or, with a table, of a route.
func (p *pod) claim(table string, addr netip.Addr) *claim {
	r := route{table, addr}
	c := p.claims[r]
	if c == nil {
		c = &claim{}
		if base := p.claims[route{"", addr}]; base != nil {
			c.present, c.entitled = base.present, base.entitled
		}
		p.claims[r] = c
	}
	return c
}

// mayHave notes that EC2 has, or may have, the address on an ENI for this pod.
func (c *claim) mayHave(eni string) {
	if c.sure == nil {
		c.sure = map[string]bool{}
	}
	c.sure[eni] = true
}

// mayLook says that the pod may look for the address on its ENI: it has it, asks
// for it, or cannot know whether EC2 has it there for its sake.
func (c *claim) mayLook() bool { return c.present || c.flying > 0 || c.doubt || c.told }

// releasable says that the pod may have it unassigned from an ENI of its own.
func (c *claim) releasable(eni string) bool { return c.sure[eni] || c.flying > 0 }

// acknowledged notes an answer that the address is the pod's, to a call that came
// to EC2 at a time. One from before the address appeared tells nothing of that.
func (c *claim) acknowledged(came time.Time) {
	if came.Before(c.appeared) {
		return
	}
	if c.entitled {
		c.won = time.Now()
	}
	c.entitled, c.acked, c.claiming = false, time.Now(), time.Time{}
}

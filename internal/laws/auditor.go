// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package laws

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// Config is what an Auditor must know.
type Config struct {
	// HoldDown and HoldDownMax are those of the registrars.
	HoldDown, HoldDownMax time.Duration
	// Reset is how long an address must have been held before its hold-down
	// starts small again.
	Reset time.Duration
	// RoundTrip is the longest time from a question about a route until the
	// deletion that follows from it has been done.
	RoundTrip time.Duration
	// Unread is how long a registrar may take to note an answer: one that died
	// before that does not know it.
	Unread time.Duration
	// Crossing is how long an answer and a call together may be on their way: of
	// an answer that left no longer ago, who sent the call may not have known.
	Crossing time.Duration
	// Primaries are the primary addresses of all ENIs.
	Primaries []netip.Addr
	// Sender is the name of the pod whose registrar sent a call, "" for others.
	Sender func(model.Call) string
}

// A Count is what an Auditor has seen.
type Count struct {
	Calls, Unassigns, Routes int
	Claims, HoldDownClaims   int // that took an address from another ENI
	// Routes of others, changed within a round trip after they were the pod's or dead.
	DeletedInTheWindow, ReplacedInTheWindow int
	Crossed                                 int // claims whose move crossed the answer that made it needless
	Moves                                   int // IPv6 addresses unassigned at their owner
	Returned                                int // of them, those put back there, as EC2 refused them to the taker
}

// Add adds another count.
func (c *Count) Add(o Count) {
	c.Calls += o.Calls
	c.Unassigns += o.Unassigns
	c.Routes += o.Routes
	c.Claims += o.Claims
	c.HoldDownClaims += o.HoldDownClaims
	c.DeletedInTheWindow += o.DeletedInTheWindow
	c.Crossed += o.Crossed
	c.ReplacedInTheWindow += o.ReplacedInTheWindow
	c.Moves += o.Moves
	c.Returned += o.Returned
}

// An Auditor watches one VPC. Its methods may be called from any goroutine.
type Auditor struct {
	cfg Config

	mu       sync.Mutex
	pods     map[string]*pod
	owner    map[netip.Addr]string
	returned map[netip.Addr]bool // where owner says, another pod put it back
	routes   map[route]string
	left     map[lead]time.Time // when a route ceased to lead to an ENI
	gone     map[string]bool    // ENIs that do not exist any more
	count    Count
	breaches []string
}

// New makes an Auditor that has seen nothing. The addresses and routes that EC2
// has already are to be told with Found.
func New(cfg Config) *Auditor {
	return &Auditor{cfg: cfg, pods: map[string]*pod{}, owner: map[netip.Addr]string{}, returned: map[netip.Addr]bool{},
		routes: map[route]string{}, left: map[lead]time.Time{}, gone: map[string]bool{}}
}

// Found tells which ENI has an address from the start.
func (a *Auditor) Found(addr netip.Addr, eni string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.owner[addr] = eni
}

// Started says that a registrar starts in a pod whose interface is on the ENI.
// In a fresh pod there is no state file: all of its addresses appear.
func (a *Auditor) Started(name, eni string, fresh bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.pod(name)
	if fresh {
		old := p
		delete(a.pods, name)
		p = a.pod(name)
		for r, c := range old.claims {
			if c.present {
				p.claims[r] = &claim{present: true, entitled: true, told: true}
				a.found(p.claims[r], r.addr, eni)
			}
		}
	}
	p.eni, p.started = eni, time.Now()
	p.enis[eni] = true
	a.greets(p)
	for _, c := range p.claims {
		c.takes, c.owes = 0, nil
		// A claim that was under way moments ago is finished as what it was.
		underWay := !c.claiming.IsZero() && p.started.Sub(c.claiming) < a.cfg.HoldDown
		stale := c.doubt && p.started.Sub(c.asked) >= a.cfg.HoldDown
		c.entitled = underWay || c.entitled && c.acked.IsZero() && !stale
	}
}

// Died says that a registrar ended without SIGTERM: what it began nobody ends.
func (a *Auditor) Died(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.pod(name).claims {
		c.owes = nil
		if !c.acked.IsZero() && time.Since(c.acked) <= a.cfg.Unread {
			c.claiming = c.acked
		}
	}
}

// Rehomed says that a pod's interface is on another ENI from now on: all of its
// addresses appear there.
func (a *Auditor) Rehomed(name, eni string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.pod(name)
	p.eni, p.enis[eni] = eni, true
	a.greets(p)
	a.reappear(p)
}

// Renamed says that a pod's annotations tell other floating IPs or route tables:
// new targets are claimed.
func (a *Auditor) Renamed(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reappear(a.pod(name))
}

func (a *Auditor) reappear(p *pod) {
	for r, c := range p.claims {
		if c.present {
			c.appeared, c.entitled, c.doubt, c.acked, c.takes = time.Now(), true, false, time.Time{}, 0
			c.told = len(a.siblings(p)) > 0
			a.found(c, r.addr, p.eni)
		}
	}
}

// Vanishes says that an ENI with all its addresses is deleted.
func (a *Auditor) Vanishes(eni string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gone[eni] = true
	for addr, e := range a.owner {
		if e == eni {
			delete(a.owner, addr)
		}
	}
}

// Appeared says that a pod's kernel is about to get an address.
func (a *Auditor) Appeared(name string, addr netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.pod(name)
	c := p.claim("", addr)
	if c.present {
		return
	}
	for r, c := range p.claims {
		if r.addr == addr {
			c.present, c.appeared, c.entitled, c.doubt, c.acked, c.takes = true, time.Now(), true, false, time.Time{}, 0
		}
	}
	a.found(c, addr, p.eni)
	siblings := a.siblings(p)
	c.told = len(siblings) > 0
	for _, q := range siblings { // it may have asked, before it left it to this one
		if o := q.claims[route{"", addr}]; o != nil && o.releasable(p.eni) {
			c.mayHave(p.eni)
		}
	}
}

// siblings are the other pods on a pod's ENI.
func (a *Auditor) siblings(p *pod) []*pod {
	var out []*pod
	for _, q := range a.pods {
		if q != p && q.eni == p.eni {
			out = append(out, q)
		}
	}
	return out
}

// greets notes that a pod may ask its siblings for what they have.
func (a *Auditor) greets(p *pod) {
	for _, q := range a.siblings(p) {
		for _, c := range q.claims {
			c.told = c.told || c.present
		}
	}
}

// Vanished says that a pod's kernel has an address no more.
func (a *Auditor) Vanished(name string, addr netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for r, c := range a.pod(name).claims {
		if r.addr != addr {
			continue
		}
		c.present = false
		if c.owes != nil && !a.overdue(c.owes) {
			c.owes.waived = true
		}
	}
}

// overdue says that the Assign that a debt calls for should have been seen.
func (a *Auditor) overdue(d *debt) bool {
	return time.Since(d.since) > max(a.cfg.RoundTrip, time.Minute)
}

// Returned says whether the ENI has an address because another pod took it from
// there and put it back. Whether it was still wanted there that pod cannot know.
func (a *Auditor) Returned(addr netip.Addr, eni string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.returned[addr] && a.owner[addr] == eni
}

// Result is what was seen so far and which laws were broken.
func (a *Auditor) Result() (Count, []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := slices.Clone(a.breaches)
	for _, p := range a.pods {
		for r, c := range p.claims {
			if d := c.owes; d != nil && d.worked && !d.claimed && !d.waived && a.overdue(d) {
				out = append(out, fmt.Sprintf("law 3: %s unassigned %s from %s at %s and never assigned it to its own ENI",
					p.name, r.addr, d.from, stamp(d.since)))
			}
		}
	}
	return a.count, out
}

func (a *Auditor) pod(name string) *pod {
	p := a.pods[name]
	if p == nil {
		p = &pod{name: name, enis: map[string]bool{}, claims: map[route]*claim{}}
		a.pods[name] = p
	}
	return p
}

// found notes that an address which appears was on the pod's ENI already.
func (a *Auditor) found(c *claim, addr netip.Addr, eni string) {
	if a.owner[addr] == eni {
		c.mayHave(eni)
	}
}

func (a *Auditor) breach(law int, p *pod, c model.Call, format string, args ...any) {
	a.breaches = append(a.breaches, fmt.Sprintf("law %d: %s, %s of %s at %s %v: ", law, stamp(time.Now()), c.Action, p.name, c.ENI+c.RouteTable, c.Addresses)+
		fmt.Sprintf(format, args...))
}

func stamp(t time.Time) string { return t.Format("15:04:05.000") }

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package laws

import (
	"net/netip"
	"strings"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// Witness is for model.VPC.SetWitness.
func (a *Auditor) Witness(m model.Moment, c model.Call) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.pods[a.cfg.Sender(c)]
	if m == model.Arrived && p != nil {
		a.count.Calls++
	}
	if c.DryRun { // neither a claim nor a doubt
		return
	}
	for i, text := range c.Addresses {
		addr, ok := parse(text)
		if !ok {
			continue
		}
		switch verb := verbOf(c.Action); {
		case verb == none:
		case m == model.Arrived && p != nil:
			a.arrived(p, c, verb, addr)
		case m == model.Worked:
			a.worked(p, c, verb, addr, c.Before[i])
		case m == model.Answered && p != nil:
			a.answered(p, c, verb, addr)
		}
	}
}

type verb int

const (
	none verb = iota
	assign
	unassign
	lay // ReplaceRoute and CreateRoute
	tear
)

func verbOf(action string) verb {
	switch {
	case strings.HasPrefix(action, "Assign"):
		return assign
	case strings.HasPrefix(action, "Unassign"):
		return unassign
	case action == "ReplaceRoute", action == "CreateRoute":
		return lay
	case action == "DeleteRoute":
		return tear
	}
	return none
}

// parse reads an address or the route of one.
func parse(text string) (netip.Addr, bool) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p.Addr(), p.IsSingleIP()
	}
	addr, err := netip.ParseAddr(text)
	return addr, err == nil
}

func (a *Auditor) arrived(p *pod, call model.Call, v verb, addr netip.Addr) {
	c := p.claim(call.RouteTable, addr)
	own := p.enis[call.ENI]
	if quiet, wait := a.waited(p, c, call.Time); own && (v == assign || v == lay) && (c.entitled || quiet >= wait) {
		c.claiming = time.Now()
	}
	if v == assign || v == lay {
		c.asked = time.Now()
	}
	switch {
	case v == assign && own:
		c.flying++
		if c.owes != nil {
			c.owes.claimed = true
		}
	case v == assign && (c.owes == nil || c.owes.from != call.ENI):
		a.breach(3, p, call, "the ENI is not its own, and nothing is given back")
	case v == lay && !own:
		a.breach(3, p, call, "the ENI is not its own")
	case v == unassign:
		a.count.Unassigns++
		for _, primary := range a.cfg.Primaries {
			if addr == primary {
				a.breach(5, p, call, "that is a primary address")
			}
		}
		switch {
		case own && c.releasable(call.ENI):
		case own && (call.ENI == p.eni || !c.present):
			a.breach(5, p, call, "EC2 has never acknowledged it, nor may have")
		case addr.Is4():
			a.breach(5, p, call, "the ENI is another's")
		default: // another's, or one that this pod had before: a move
			crossed := c.entitled || !c.won.IsZero() && time.Since(c.won) <= a.cfg.Crossing
			c.owes = &debt{from: call.ENI, since: time.Now(), crossed: crossed}
		}
	}
}

func (a *Auditor) worked(p *pod, call model.Call, v verb, addr netip.Addr, before string) {
	now := time.Now()
	foreign := before != "" && before != call.ENI
	switch v {
	case assign:
		a.owner[addr] = call.ENI
		if a.returned[addr] = p != nil && !p.enis[call.ENI]; a.returned[addr] {
			a.count.Returned++
		}
		a.note(addr, before, call.ENI, p, now)
	case unassign:
		delete(a.owner, addr)
		a.note(addr, before, "", p, now)
		if p != nil {
			owes := p.claim(call.RouteTable, addr).owes
			foreign = !p.enis[call.ENI] || owes != nil && owes.from == call.ENI
			if foreign && owes != nil {
				owes.worked = true
				a.count.Moves++
			}
		}
	default:
		a.count.Routes++
		r := route{call.RouteTable, addr}
		if before != "" && before != call.ENI {
			a.left[lead{r, before}] = now
			a.losers(r, before, p, now)
		}
		if v == tear {
			delete(a.routes, r)
			a.torn(p, call, r, before, now)
			return
		}
		a.routes[r] = call.ENI
		foreign = foreign && !a.gone[before] && !(p != nil && p.enis[before])
		if foreign && p != nil && !p.claim(call.RouteTable, addr).entitled && a.wasDead(r, now) {
			a.count.ReplacedInTheWindow++
			foreign = false
		}
	}
	if p != nil && foreign {
		a.taken(p, call, addr, before)
	}
}

// wasDead says that the route led to an ENI that does not exist, one round trip
// ago: whoever saw it so then may replace it.
func (a *Auditor) wasDead(r route, now time.Time) bool {
	for eni := range a.gone {
		if at, was := a.left[lead{r, eni}]; was && now.Sub(at) <= a.cfg.RoundTrip {
			return true
		}
	}
	return false
}

// torn judges a deletion: only of a route that leads to the pod's ENI, or did
// one round trip ago.
func (a *Auditor) torn(p *pod, call model.Call, r route, before string, now time.Time) {
	if p == nil || p.enis[before] {
		return
	}
	for eni := range p.enis {
		if at, was := a.left[lead{r, eni}]; was && now.Sub(at) <= a.cfg.RoundTrip {
			a.count.DeletedInTheWindow++
			return
		}
	}
	a.breach(5, p, call, "the route leads to %s", before)
}

// taken judges that a pod took an address from another ENI: it has just
// appeared, or its hold-down has ended. An IPv6 address that has just appeared
// is asked for and looked up at once: what the look finds is taken from its
// owner, though EC2 has meanwhile given it, and somebody else taken it since. Of two
// claims that are under way EC2 may do the first one last, when the other has been
// answered: what was sent with the right to take has it.
func (a *Auditor) taken(p *pod, call model.Call, addr netip.Addr, before string) {
	c := p.claim(call.RouteTable, addr)
	if c.entitled || call.Time.Before(c.won) {
		a.count.Claims++
		return
	}
	if c.owes != nil && c.owes.from == call.ENI && c.owes.crossed {
		a.count.Crossed++
		return
	}
	if quiet, wait := a.waited(p, c, call.Time); quiet < wait {
		a.breach(4, p, call, "taken from %s %v after it was lost or the registrar started, before the hold-down of %v", before, quiet, wait)
	}
	c.entitled = true
	c.takes++
	a.count.HoldDownClaims++
}

// waited is how long ago an address was lost or the registrar started, and how
// long its hold-down is.
func (a *Auditor) waited(p *pod, c *claim, now time.Time) (quiet, wait time.Duration) {
	since := c.lost
	if p.started.After(since) {
		since = p.started
	}
	return now.Sub(since), min(a.cfg.HoldDown<<min(c.takes, 20), a.cfg.HoldDownMax)
}

// note tells the pods on the ENIs that gain or lose an address. Who asked for it,
// does not know what became of that, or told a sibling that it has it may look
// what it has on its ENI, and find what the sibling was given.
func (a *Auditor) note(addr netip.Addr, from, to string, by *pod, now time.Time) {
	if from != to {
		a.losers(route{"", addr}, from, by, now)
	}
	for _, q := range a.pods {
		if c := q.claims[route{"", addr}]; c != nil && q.eni == to && (c.mayLook() || !c.answered.IsZero() && now.Sub(c.answered) <= a.cfg.RoundTrip) {
			c.mayHave(to)
		}
	}
}

func (a *Auditor) losers(r route, from string, by *pod, now time.Time) {
	for _, q := range a.pods {
		c := q.claims[r]
		if c == nil || q == by || from == "" || !q.enis[from] {
			continue
		}
		c.lost = now
		if !c.acked.IsZero() && now.Sub(c.acked) > a.cfg.Reset {
			c.takes = 0
		}
	}
}

func (a *Auditor) answered(p *pod, call model.Call, v verb, addr netip.Addr) {
	c := p.claims[route{call.RouteTable, addr}]
	if c == nil { // of the pod that was here before
		return
	}
	own := p.enis[call.ENI]
	c.doubt = c.doubt || call.ENI == p.eni && doubtful(call.Code)
	switch {
	case v == assign && own:
		c.flying = max(0, c.flying-1)
		c.answered = time.Now()
		if call.Code == "" || call.Effective || doubtful(call.Code) {
			c.mayHave(call.ENI)
		}
		if call.Code == "" && call.ENI == p.eni {
			c.acknowledged(call.Time)
		}
	case v == unassign && own && call.Code == "":
		if delete(c.sure, call.ENI); c.present {
			a.found(c, addr, p.eni)
		} else {
			c.told, c.doubt = false, false
		}
	case v == lay && call.Code == "" && call.ENI == p.eni:
		c.acknowledged(call.Time)
	}
}

// doubtful says that the caller cannot know whether it was done.
func doubtful(code string) bool {
	return code == model.CodeDropped || code == model.CodeCanceled || code == "InternalError"
}

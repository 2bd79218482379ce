// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/netip"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/traffic"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// measure judges what was seen since the trouble began.
func (l *lab) measure() Result {
	r := Result{
		Name: l.sc.name, What: l.sc.what, Kind: l.sc.ips.name, Holder: l.sc.holder,
		Calls: map[string]int{}, Families: []Family{}, goal: l.sc.goal,
	}
	var calls []model.Call
	for _, c := range l.VPC.Calls() {
		if c.Time.Before(l.began) {
			continue
		}
		calls = append(calls, c)
		if dryRun(c) {
			r.Calls[dryRuns]++
		} else {
			r.Calls[c.Action]++
		}
		if c.Code != "" && c.Code != model.CodeDryRun {
			r.Refused++
		}
	}
	for i, w := range l.sc.ips.ways {
		began, packets := l.streams[i].Packets()
		f := l.family(w.addr, l.began.Sub(began), packets)
		f.RouteTable = w.table
		f.Taken = len(l.taken(w, calls))
		settled := l.settledAt(w.addr)
		f.EC2 = Millis(model.InHand(about(calls, l.holder().worker, w), settled, settled.Add(time.Duration(f.Restored))))
		r.Families = append(r.Families, f)
	}
	r.Took = Millis(time.Since(l.began))
	r.Timeline = l.timeline(calls)
	return r
}

// family judges the packets to one address. Its outage is keepalived's until
// the holder's kernel has settled, and the registrar's and EC2's from then on.
func (l *lab) family(a netip.Addr, zero time.Duration, packets []traffic.Packet) Family {
	f := Family{Address: a}
	var since []traffic.Packet
	end := zero
	for _, p := range packets {
		if p.Sent < zero {
			continue
		}
		end = max(end, p.Sent, p.Answered)
		p.Sent -= zero
		if p.Answered != traffic.Never {
			p.Answered -= zero
		}
		since = append(since, p)
	}
	loss := traffic.Measure(since, end-zero)
	f.Sent, f.Lost, f.Gap = loss.Sent, loss.Lost, Millis(loss.Gap)

	settled := l.settledAt(a)
	f.Keepalived = Millis(settled.Sub(l.settled))
	for _, p := range since {
		if at := l.began.Add(p.Sent); p.Answered == traffic.Never && !at.Before(settled) {
			f.LostAfter++
			f.Restored = Millis(at.Sub(settled))
		}
	}
	return f
}

// settledAt is when keepalived was done with an address: it appeared on the pod
// that has it in the end, or, where that had it all along, left the other.
func (l *lab) settledAt(a netip.Addr) time.Time {
	holder := l.holder().Name
	for _, has := range []bool{true, false} {
		last, ok := l.kernel.last(func(c change) bool {
			return c.addr == a && (c.pod == holder) == has && c.has == has && !c.at.Before(l.settled)
		})
		if ok {
			return last.at
		}
	}
	return l.settled
}

// taken are the calls that took an address from an ENI whose pod had not
// released it: by assigning or routing it elsewhere, or by unassigning it as
// somebody else.
func (l *lab) taken(w way, calls []model.Call) []model.Call {
	owner := l.atStart[w]
	var out []model.Call
	for _, c := range inEffect(calls, w) {
		was, _ := l.VPC.ENI(owner)
		owner = l.after(c)
		if was.Name == "" || owner == was.Name || owner == "" && c.Worker == was.Worker {
			continue
		}
		out = append(out, c)
	}
	return out
}

// after is the name of the ENI that has an address after a call that took
// effect; "" after a release.
func (l *lab) after(c model.Call) string {
	if releases(c) {
		return ""
	}
	e, _ := l.VPC.ENI(c.ENI)
	return e.Name
}

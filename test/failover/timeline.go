// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/traffic"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// lead is how much of the time before the trouble the timeline shows.
const lead = 300 * time.Millisecond

// A Timeline is what happened; times are milliseconds since the trouble began.
type Timeline struct {
	From  Millis  `json:"fromMs"`
	To    Millis  `json:"toMs"`
	Marks []Mark  `json:"marks"`
	Calls []Call  `json:"calls"`
	Lanes []Lanes `json:"addresses"`
}

// A Mark is something that the scenario did to a pod, or to both ("").
type Mark struct {
	At   Millis `json:"atMs"`
	Pod  string `json:"pod"`
	What string `json:"what"`
}

// A Call is an EC2 call.
type Call struct {
	At        Millis   `json:"atMs"`
	Took      Millis   `json:"tookMs"`
	Pod       string   `json:"pod"`
	Action    string   `json:"action"`
	Addresses []string `json:"addresses,omitempty"`
	// RouteTable is the name of the route table that the call changes, if one.
	RouteTable string `json:"routeTable,omitempty"`
	DryRun     bool   `json:"dryRun,omitempty"`
	Code       string `json:"code,omitempty"`
}

// ipv6 says whether the call names IPv6 addresses.
func (c Call) ipv6() bool { return len(c.Addresses) > 0 && strings.Contains(c.Addresses[0], ":") }

// Lanes are the spans of one address, in one route table where it is a route.
type Lanes struct {
	Address    netip.Addr `json:"address"`
	RouteTable string     `json:"routeTable,omitempty"`
	// Lost are the spans in which packets were sent that had no answer.
	Lost []Span `json:"lost"`
	// InKernel are the spans in which the pods had the address, by pod; EC2 are
	// those in which EC2 had it on a pod's ENI.
	InKernel map[string][]Span `json:"inKernel"`
	EC2      map[string][]Span `json:"ec2"`
}

// A Span is a time from one moment to another.
type Span [2]Millis

func (l *lab) timeline(calls []model.Call) Timeline {
	since := func(t time.Time) Millis { return Millis(t.Sub(l.began)) }
	t := Timeline{From: Millis(-lead), To: since(time.Now()), Marks: []Mark{}, Calls: []Call{}}
	for _, m := range l.marks {
		t.Marks = append(t.Marks, Mark{since(m.at), m.pod, m.what})
	}
	for _, c := range calls {
		took := c.Duration
		if !c.Done {
			took = time.Since(c.Time)
		}
		call := Call{At: since(c.Time), Took: Millis(took), Pod: l.podOf(c), Action: c.Action, Addresses: c.Addresses, DryRun: dryRun(c), Code: c.Code}
		for _, w := range l.sc.ips.ways {
			if c.RouteTable != "" && tableID(w.table) == c.RouteTable {
				call.RouteTable = w.table
			}
		}
		t.Calls = append(t.Calls, call)
	}
	for i, w := range l.sc.ips.ways {
		a := w.addr
		began, packets := l.streams[i].Packets()
		lane := Lanes{Address: a, RouteTable: w.table, Lost: lostSpans(packets, l.began.Sub(began)), InKernel: map[string][]Span{}, EC2: map[string][]Span{}}
		for _, p := range []string{podA, podB} {
			var flips []flip
			for _, c := range l.kernel.all() {
				if c.addr == a && c.pod == p {
					flips = append(flips, flip{since(c.at), c.has})
				}
			}
			lane.InKernel[p] = spans(flips, t.To)
		}
		l.ownership(&lane, w, calls, t)
		t.Lanes = append(t.Lanes, lane)
	}
	return t
}

// ownership fills in where EC2 had the address. Where both pods share an ENI
// they share the lane of pod a.
func (l *lab) ownership(lane *Lanes, w way, calls []model.Call, t Timeline) {
	flips := map[string][]flip{}
	set := func(at Millis, eni string) {
		for _, p := range []*pod{l.a, l.b} {
			if p == l.b && l.sc.sameWorker {
				continue
			}
			flips[p.Name] = append(flips[p.Name], flip{at, p.eni == eni})
		}
	}
	set(t.From, l.atStart[w])
	for _, c := range inEffect(calls, w) {
		set(Millis(effect(c).Sub(l.began)), l.after(c))
	}
	for p, f := range flips {
		lane.EC2[p] = spans(f, t.To)
	}
}

// podOf is the pod that has made a call: credentials tell the worker only.
func (l *lab) podOf(c model.Call) string {
	if c.Worker == l.b.worker && !l.sc.sameWorker {
		return podB
	}
	return podA
}

// A flip is the beginning of a span, or its end.
type flip struct {
	at Millis
	on bool
}

func spans(flips []flip, end Millis) []Span {
	out := []Span{}
	on := false
	for _, f := range flips {
		if f.on == on {
			continue
		}
		if on = f.on; on {
			out = append(out, Span{f.at, end})
		} else {
			out[len(out)-1][1] = f.at
		}
	}
	return slices.DeleteFunc(out, func(s Span) bool { return s[1] <= Millis(-lead) })
}

// lostSpans joins packets in a row that were lost. zero is when the trouble
// began, since the stream did.
func lostSpans(packets []traffic.Packet, zero time.Duration) []Span {
	out := []Span{}
	open := false
	for _, p := range packets {
		at := Millis(p.Sent - zero)
		if at < Millis(-lead) {
			continue
		}
		switch lost := p.Answered == traffic.Never; {
		case lost && open:
			out[len(out)-1][1] = at + Millis(traffic.Interval)
		case lost:
			out, open = append(out, Span{at, at + Millis(traffic.Interval)}), true
		default:
			open = false
		}
	}
	return out
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// TestExhaustively searches every order in which two registrars, EC2, the
// kernels and faults can act, and finds none that breaks laws 1, 4, 5, 6 or 7; and
// after each of them lets everything calm down and finds every address where it
// belongs. Two pods, three addresses; how much may happen is bounded:
//
//	toggles    times that an address appears in or leaves a kernel
//	faults     requests that are throttled, or whose answer is lost after EC2
//	           did or did not do what they asked
//	restarts   of a registrar, with what it sent arriving or not
//	waits      times that nothing happens until a timer rings
//
// Where EXHAUSTIVE is set the bounds are wider, for minutes instead of seconds.
func TestExhaustively(t *testing.T) {
	type bounds struct{ toggles, faults, restarts, waits int }
	all := []bounds{{2, 1, 0, 1}, {2, 0, 1, 1}, {3, 0, 0, 1}, {4, 0, 0, 0}}
	if os.Getenv("EXHAUSTIVE") != "" {
		all = []bounds{{3, 1, 1, 2}, {4, 0, 0, 2}, {2, 2, 1, 2}}
	}
	for _, same := range []bool{false, true} {
		for _, b := range all {
			t.Run(fmt.Sprintf("same ENI %v/%+v", same, b), func(t *testing.T) {
				t.Parallel()
				d := newDuel(same)
				d.toggles, d.faults, d.restarts, d.waits = b.toggles, b.faults, b.restarts, b.waits
				s := newSearch(t)
				s.from(d)
				t.Logf("%d states, %d of them calmed down", len(s.seen), len(s.settled))
			})
		}
	}
}

// A search goes through every future of a duel once.
type search struct {
	t       *testing.T
	seen    map[[2]uint64]bool
	settled map[[2]uint64]bool
}

func newSearch(t *testing.T) *search {
	return &search{t: t, seen: map[[2]uint64]bool{}, settled: map[[2]uint64]bool{}}
}

func (s *search) from(d *duel) {
	if d.broken != "" {
		s.t.Fatalf("%s, after:%v", d.broken, d.path)
	}
	name := d.sum(true)
	if s.seen[name] {
		return
	}
	s.seen[name] = true
	if len(d.twins[0].mail)+len(d.twins[1].mail) == 0 { // else it is settled when they have come
		s.settle(d)
	}
	for i := range d.twins {
		s.mail(d, i)
		for k := range exhaustAddrs {
			// On one ENI the kernel lets one pod have an address at a time.
			taken := d.sameENI && !d.twins[i].kernel[k] && d.twins[1-i].kernel[k]
			if d.toggles > 0 && !taken {
				s.next(d, fmt.Sprintf("pod %d: %s appears or goes", i, exhaustAddrs[k]), func(d *duel) { d.toggles--; d.toggle(i, k) })
			}
		}
		if d.restarts > 0 {
			s.next(d, fmt.Sprintf("pod %d restarts, its requests are lost", i), func(d *duel) { d.restarts--; d.restart(i, false) })
			if len(d.twins[i].mail) > 0 {
				s.next(d, fmt.Sprintf("pod %d restarts, its requests arrive", i), func(d *duel) { d.restarts--; d.restart(i, true) })
			}
		}
	}
	if d.waits > 0 {
		s.next(d, "time passes", func(d *duel) { d.waits--; d.wait() })
	}
}

// mail lets each message of a pod arrive, be answered, or fail.
func (s *search) mail(d *duel, i int) {
	for n, m := range d.twins[i].mail {
		what := fmt.Sprintf("pod %d: %v %v", i, verbs[m.call.Verb], m.call.Addrs)
		if m.back {
			s.next(d, what+" is answered", func(d *duel) { d.deliver(i, d.take(i, n)) })
			continue
		}
		s.next(d, what+" arrives", func(d *duel) { d.arrive(i, &d.twins[i].mail[n]) })
		if d.faults == 0 || m.call.Verb == 0 {
			continue
		}
		s.next(d, what+" is throttled", func(d *duel) { d.fail(i, n, false) })
		s.next(d, what+" is lost", func(d *duel) { d.fail(i, n, true) })
		s.next(d, what+" arrives, its answer is lost", func(d *duel) {
			d.arrive(i, &d.twins[i].mail[n])
			d.twins[i].mail[n].outcomes = nil
			d.fail(i, n, true)
		})
	}
}

// take takes a message out of a pod's mail.
func (d *duel) take(i, n int) message {
	m := d.twins[i].mail[n]
	d.twins[i].mail = slices.Delete(slices.Clone(d.twins[i].mail), n, n+1)
	return m
}

// fail answers a message with no answer at all, or with a refusal.
func (d *duel) fail(i, n int, doubt bool) {
	d.faults--
	m := d.take(i, n)
	for _, a := range m.call.Addrs {
		r := &eniassign.Reason{Code: eniassign.EC2Throttled, Class: eniassign.Transient, Text: "fault"}
		m.outcomes = append(m.outcomes, eniassign.Outcome{Addr: a, Reason: r, InDoubt: doubt})
	}
	d.deliver(i, m)
}

// next searches on from what becomes of d by one thing that happens.
func (s *search) next(d *duel, what string, happen func(*duel)) {
	n := d.clone()
	n.path = &step{d.path, what}
	happen(n)
	s.from(n)
}

func (d *duel) clone() *duel {
	c := *d
	for i := range c.twins {
		c.twins[i].l = clone(d.twins[i].l)
		c.twins[i].mail = slices.Clone(d.twins[i].mail)
	}
	return &c
}

// sum names the state, with what may still happen or without.
func (d *duel) sum(budget bool) [2]uint64 {
	g := digest{now: d.now}
	if budget {
		for _, n := range []int{d.toggles, d.faults, d.restarts, d.waits} {
			g.number(int64(n))
		}
	}
	for k := range exhaustAddrs {
		g.text(d.holder[k])
	}
	for _, t := range d.twins {
		g.ledger(t.l)
		g.flag(t.kernel[:]...)
		g.flag(t.appear[:]...)
		g.flag(t.had[:]...)
		g.time(t.rivalry[:]...)
		for _, m := range t.mail {
			g.text(fmt.Sprint(m.call.Verb, m.call.Addrs, m.look, m.describe, m.back, m.outcomes, m.holders))
			g.time(m.started)
			for _, a := range m.call.Addrs { // which of two calls about an address counts
				c := t.l.claims[Target{ENI: m.call.ENI, Addr: a}]
				g.flag(c != nil && c.inFlight && c.call == m.call.ID)
			}
			for _, e := range m.enis {
				g.text(fmt.Sprint(e.Addresses))
			}
		}
	}
	return g.sum()
}

// settle lets everything calm down: requests arrive and are answered in their
// order, timers ring, IMDS is up to date. Nobody is asked for work whose timer
// has not rung: what waits for no timer and no answer waits for ever. Then EC2
// has every address where a pod has it, and nowhere where none has.
func (s *search) settle(from *duel) {
	if name := from.sum(false); s.settled[name] {
		return
	} else {
		s.settled[name] = true
	}
	d := from.clone()
	d.path = &step{d.path, "everything calms down"}
	for end := d.now.Add(3 * time.Minute); d.now.Before(end) && d.broken == "" && !d.calm(); {
		if !d.handle() {
			d.pause()
		}
	}
	for k, a := range exhaustAddrs {
		var want []string
		for _, t := range d.twins {
			if t.kernel[k] {
				want = append(want, t.eni.ID)
			}
		}
		if len(want) == 0 {
			want = []string{""}
		}
		if !slices.Contains(want, d.holder[k]) && d.broken == "" {
			d.broken = fmt.Sprintf("%s ends on %q, it belongs to %q", a, d.holder[k], want)
		}
	}
	if d.broken != "" {
		s.t.Fatalf("%s, after:%v", d.broken, d.path)
	}
}

// calm says that nothing is left to do: every address that a pod has is assigned
// to it, there and in EC2, and no other is anywhere.
func (d *duel) calm() bool {
	var held [3]bool
	for _, t := range d.twins {
		for k, a := range exhaustAddrs {
			c := t.l.claims[Target{ENI: t.eni.ID, Addr: a}]
			held[k] = held[k] || t.kernel[k]
			if len(t.mail) > 0 || (c != nil) != t.kernel[k] || c != nil && (c.state != Assigned || d.holder[k] != t.eni.ID) {
				return false
			}
		}
	}
	for k, id := range d.holder {
		if id != "" && !held[k] {
			return false
		}
	}
	return true
}

// handle lets the oldest message go one step; false where there is none.
func (d *duel) handle() bool {
	for i := range d.twins {
		if len(d.twins[i].mail) == 0 {
			continue
		}
		if !d.twins[i].mail[0].back {
			d.arrive(i, &d.twins[i].mail[0])
		} else {
			d.deliver(i, d.take(i, 0))
		}
		return true
	}
	return false
}

// pause lets time pass until a timer rings, at most 20 s.
func (d *duel) pause() {
	limit := d.now.Add(20 * time.Second)
	for _, t := range d.twins {
		if !t.wake.IsZero() && t.wake.After(d.now) && t.wake.Before(limit) {
			limit = t.wake
		}
	}
	d.now = limit
	for i := range d.twins {
		if w := d.twins[i].wake; !w.IsZero() && !w.After(d.now) {
			d.turn(i)
		}
	}
}

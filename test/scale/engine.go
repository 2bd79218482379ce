// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import "time"

// epoch is when virtual time begins.
var epoch = time.Date(2040, time.January, 1, 0, 0, 0, 0, time.UTC)

// An engine is a simulation by events: it owns the virtual clock and does one
// thing at a time, in the order of time and, at the same time, of planning. So
// equal seeds give equal histories.
type engine struct {
	now    time.Duration // since epoch
	events []event       // a heap
	seq    uint64
	tasks  map[*task]struct{} // to be ended at the end
	abroad abroad
}

type event struct {
	at  time.Duration
	seq uint64
	do  func()
}

func newEngine() *engine { return &engine{tasks: map[*task]struct{}{}, abroad: newAbroad()} }

func (e event) before(o event) bool {
	return e.at < o.at || e.at == o.at && e.seq < o.seq
}

// at plans f for a time; what lies in the past is done next.
func (e *engine) at(t time.Duration, f func()) {
	e.seq++
	e.events = append(e.events, event{max(t, e.now), e.seq, f})
	for i := len(e.events) - 1; i > 0; {
		up := (i - 1) / 2
		if !e.events[i].before(e.events[up]) {
			break
		}
		e.events[i], e.events[up] = e.events[up], e.events[i]
		i = up
	}
}

func (e *engine) after(d time.Duration, f func()) { e.at(e.now+d, f) }

// clock is the virtual time.
func (e *engine) clock() time.Time { return epoch.Add(e.now) }

// run lets virtual time pass until nothing is planned any more, done says so,
// or the limit has come.
func (e *engine) run(limit time.Duration, done func() bool) {
	for !done() && e.come(limit) {
		next := e.pop()
		e.now = next.at
		next.do()
	}
}

// come lets time pass until the next event; false where none comes within the
// limit.
func (e *engine) come(limit time.Duration) bool {
	for e.abroad.n > 0 {
		until := limit
		if len(e.events) > 0 {
			until = min(limit, e.events[0].at)
		}
		took, posts := e.abroad.wait(until - e.now)
		if e.now += took; len(posts) == 0 {
			break
		}
		for _, p := range posts {
			p.do()
		}
	}
	return len(e.events) > 0 && e.events[0].at <= limit
}

func (e *engine) pop() event {
	h := e.events
	top, last := h[0], len(h)-1
	h[0], h[last] = h[last], event{}
	h = h[:last]
	for i := 0; ; {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(h); c++ {
			if h[c].before(h[least]) {
				least = c
			}
		}
		if least == i {
			break
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
	e.events = h
	return top
}

// close ends the tasks that still sleep.
func (e *engine) close() {
	close(e.abroad.over)
	for t := range e.tasks {
		t.stop()
	}
}

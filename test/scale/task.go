// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"iter"
	"time"
)

// A task is code that sleeps in virtual time, such as an EC2 client that waits
// for an answer. It runs as a coroutine of the engine, so never beside anything
// else.
type task struct {
	engine *engine
	yield  func(time.Duration) bool
	next   func() (time.Duration, bool)
	stop   func()
	resume func()
	over   bool          // the simulation is
	late   time.Duration // the latency of a call that has arrived already
}

// spawn runs f until it sleeps for the first time.
func (e *engine) spawn(f func(*task)) {
	t := &task{engine: e}
	t.next, t.stop = iter.Pull(func(yield func(time.Duration) bool) {
		t.yield = yield
		f(t)
	})
	t.resume = func() {
		d, more := t.next()
		if !more {
			delete(e.tasks, t)
			return
		}
		e.after(d, t.resume)
	}
	e.tasks[t] = struct{}{}
	t.resume()
}

// sleep lets virtual time pass. It returns false where the simulation is over.
func (t *task) sleep(d time.Duration) bool {
	t.over = t.over || !t.yield(d)
	return !t.over
}

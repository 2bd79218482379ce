// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// crowdFrom is how many refusals in a row bring a call's delays to RetryCap.
const crowdFrom = 6

// meanLatency is the mean of account.latency: e^(σ²/2) times the median.
const meanLatency = 106 * time.Millisecond

// A crowd is the calls of one action that all retry below RetryCap. In a full
// restart they are tens of thousands and retry hundreds of millions of times,
// nearly always in vain. Together they are a stream of calls without memory
// (Palm–Khintchine), so only the retry that finds a token is played: it comes
// after an exponentially distributed time, from any of them with equal right.
// Those in vain are counted by the stream's rate. A test holds this against
// playing each of them.
type crowd struct {
	world     *world
	action    string
	waiting   []func() // each begins a call that has just reached EC2
	plan      int      // only the newest counts
	since     time.Duration
	throttled float64
}

// cycle is the mean time between two retries of one call.
const cycle = meanLatency + ledger.RetryCap/2

func (w *world) crowd(action string) *crowd {
	c := w.crowds[action]
	if c == nil {
		c = &crowd{world: w, action: action}
		w.crowds[action] = c
	}
	return c
}

func (c *crowd) join(call func()) {
	c.settle()
	c.waiting = append(c.waiting, call)
	c.next()
}

// settle counts the retries in vain until now.
func (c *crowd) settle() {
	c.throttled += float64(len(c.waiting)) * float64(c.world.now-c.since) / float64(cycle)
	c.since = c.world.now
	whole := int(c.throttled)
	c.world.account.of(c.action).Throttled += whole
	c.throttled -= float64(whole)
}

// next plans the next retry that may find a token.
func (c *crowd) next() {
	c.plan++
	if len(c.waiting) == 0 {
		return
	}
	a := c.world.account
	wait := time.Duration(a.rng.ExpFloat64() * float64(cycle) / float64(len(c.waiting)))
	if missing := 1 - a.vpc.Tokens(c.action); missing > 0 {
		_, refill := model.BucketSize(c.action, false)
		wait += time.Duration(missing / refill * float64(time.Second))
	}
	mine := c.plan
	c.world.after(wait, func() {
		if c.plan == mine {
			c.arrive()
		}
	})
}

func (c *crowd) arrive() {
	c.settle()
	if a := c.world.account; a.vpc.Tokens(c.action) >= 1 {
		i, last := a.rng.IntN(len(c.waiting)), len(c.waiting)-1
		call := c.waiting[i]
		c.waiting[i], c.waiting[last] = c.waiting[last], nil
		c.waiting = c.waiting[:last]
		call()
	}
	c.next()
}

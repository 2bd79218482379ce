// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package registrar_test

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
)

// secondCopy is when a word is said again, as package sibling does.
const secondCopy = 6 * time.Millisecond

// A manner is how well the siblings' words get through: each copy is lost or
// delayed by itself, so they are doubled and change places too.
type manner struct {
	loss  int // of a hundred copies
	delay time.Duration
	seed  uint64
}

// A talk is the link-local multicast of all ENIs, and what package sibling makes
// of it: words are said twice and heard once, an answer reaches only who asked,
// and only if that was its last question.
type talk struct {
	off atomic.Bool
	manner

	mu     sync.Mutex
	rng    *rand.Rand
	voices map[*voice]bool
	number int
}

func newTalk(m manner) *talk {
	return &talk{manner: m, rng: rand.New(rand.NewPCG(m.seed, 1)), voices: map[*voice]bool{}}
}

// A voice is one registrar's; it implements registrar.Siblings.
type voice struct {
	*talk
	life *life
	// mac is that of the interface, queue what is to be heard, asked the number
	// of the last question of each address, newest that of the last word said,
	// and known what was heard. All of it is guarded by talk.mu.
	mac    string
	queue  []ledger.Saying
	asked  map[netip.Addr]int
	newest map[netip.Addr]int
	known  map[int]bool
	some   chan struct{}
}

// A word that was heard, for the answer.
type heardWord struct {
	from   *voice
	number int
}

func (t *talk) join(l *life) *voice {
	v := &voice{talk: t, life: l, asked: map[netip.Addr]int{}, newest: map[netip.Addr]int{}, known: map[int]bool{}, some: make(chan struct{}, 1)}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.voices[v] = true
	return v
}

func (v *voice) Follow(links []netwatch.Interface) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.mac = ""
	for _, i := range links {
		v.mac = i.MAC
	}
}

func (v *voice) Say(s ledger.Saying) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.life.ended() {
		return
	}
	v.number++
	n := v.number
	v.newest[s.Addr] = n
	if s.Word == ledger.Asks || s.Word == ledger.Holds {
		v.asked[s.Addr] = n
	}
	v.send(s, n)
	time.AfterFunc(secondCopy, func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.newest[s.Addr] == n && !v.life.ended() {
			v.send(s, n)
		}
	})
}

// send lets one copy go. It wants mu.
func (v *voice) send(s ledger.Saying, n int) {
	to, answers := s.Re.(heardWord)
	for other := range v.voices {
		if other == v || other.mac != v.mac || v.mac == "" || answers && to.from != other {
			continue
		}
		if v.rng.IntN(100) < v.loss || v.off.Load() {
			continue
		}
		heard := ledger.Saying{Interface: s.Interface, Addr: s.Addr, Word: s.Word, Answer: answers, Re: heardWord{v, n}}
		var delay time.Duration
		if v.delay > 0 {
			delay = time.Duration(v.rng.Int64N(int64(v.delay)))
		}
		time.AfterFunc(delay, func() { other.hear(heard, n, to.number) })
	}
}

func (v *voice) hear(s ledger.Saying, n, question int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.known[n] || v.life.ended() || s.Answer && v.asked[s.Addr] != question {
		return
	}
	v.known[n] = true
	v.queue = append(v.queue, s)
	select {
	case v.some <- struct{}{}:
	default:
	}
}

func (v *voice) Listen(ctx context.Context, heard func(ledger.Saying)) {
	defer func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		delete(v.voices, v)
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case <-v.some:
		}
		v.mu.Lock()
		all := v.queue
		v.queue = nil
		v.mu.Unlock()
		for _, s := range all {
			heard(s)
		}
	}
}

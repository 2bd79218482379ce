// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"cmp"
	"slices"
	"testing/synctest"
	"time"
)

// abroad are goroutines beside the engine: an urgent IPv6 claim has several
// requests under way at once and timers of its own. They run in the fake time of
// the synctest bubble in which the whole simulation is, and hand the engine what
// is to be done there. While there are any, the engine lets that time pass as it
// goes from event to event.
type abroad struct {
	n     int // goroutines that have not ended
	posts chan post
	over  chan struct{} // closed when the simulation is
}

// A post is something that the engine is to do for a goroutine. Of those of one
// moment the key decides which comes first.
type post struct {
	key string
	do  func()
}

func newAbroad() abroad { return abroad{posts: make(chan post), over: make(chan struct{})} }

// leave runs f beside the engine, and then in the engine what f returns.
func (e *engine) leave(key string, f func() (then func())) {
	e.abroad.n++
	go func() {
		then := f()
		e.abroad.post(post{key, func() {
			e.abroad.n--
			then()
		}})
	}()
}

// post hands the engine something; false where the simulation is over.
func (a *abroad) post(p post) bool {
	select {
	case a.posts <- p:
		return true
	case <-a.over:
		return false
	}
}

// wait lets time pass until something is posted, but no longer than d.
func (a *abroad) wait(d time.Duration) (took time.Duration, posts []post) {
	began := time.Now()
	synctest.Wait()
	if posts = a.posted(nil); len(posts) == 0 && d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case p := <-a.posts:
			synctest.Wait()
			posts = a.posted([]post{p})
		case <-timer.C:
		}
	}
	slices.SortStableFunc(posts, func(a, b post) int { return cmp.Compare(a.key, b.key) })
	return time.Since(began), posts
}

// posted adds what waits to be taken.
func (a *abroad) posted(posts []post) []post {
	for {
		select {
		case p := <-a.posts:
			posts = append(posts, p)
		default:
			return posts
		}
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package sibling

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// copies are how often a datagram leaves by each family: a single loss harms
// nothing.
const copies = 2

// pauses are the times before each further attempt. The first lets a question
// be asked twice, and answered, in the 20 ms that an asker waits. The others
// are for a family that could not send: duplicate address detection of the
// link-local address takes 2 s at most (RFC 4862, sections 5.1 and 5.4.2: up to
// 1 s of delay, then 1 s for one probe).
var pauses = [...]time.Duration{
	6 * time.Millisecond, 24 * time.Millisecond, 70 * time.Millisecond, 200 * time.Millisecond,
	700 * time.Millisecond, time.Second, time.Second,
}

// A saying is a datagram on its way, and again on its way.
type saying struct {
	name     name
	answers  name
	notes    []Note
	sent     [len(families)]int // copies that have left
	attempts int
	timer    *time.Timer
}

// errNoSocket stands for a socket that could not be opened: the log has why.
var errNoSocket = errors.New("no socket")

// say sends a datagram, and sees to its copies. The error says why none has
// left.
func (l *link) say(as, answers name, notes []Note) error {
	s := &saying{name: as, answers: answers, notes: notes}
	for _, n := range notes {
		if n.Question {
			l.asked[n.Addr] = as.number
		}
	}
	err := l.attempt(s)
	s.timer = time.AfterFunc(pauses[0], func() { l.again(s) })
	l.sayings = append(l.sayings, s)
	return err
}

// supersede forgets what was to be said again of the same addresses: the last
// word is the one that stays.
func (l *link) supersede(notes []Note) {
	l.sayings = slices.DeleteFunc(l.sayings, func(s *saying) bool {
		s.notes = slices.DeleteFunc(s.notes, func(old Note) bool {
			return slices.ContainsFunc(notes, func(n Note) bool { return n.Addr == old.Addr })
		})
		if len(s.notes) > 0 {
			return false
		}
		s.timer.Stop()
		return true
	})
}

// again is the timer's.
func (l *link) again(s *saying) {
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	at := slices.Index(l.sayings, s)
	if at < 0 {
		return // superseded, or the link is closed
	}
	err := l.attempt(s)
	if !l.done(s) && s.attempts <= len(pauses) {
		s.timer.Reset(pauses[s.attempts-1])
		return
	}
	l.sayings = slices.Delete(l.sayings, at, at+1)
	l.tellMute(err)
}

// attempt sends what is left to send. The error says why no copy has left yet.
func (l *link) attempt(s *saying) error {
	b := datagram{l.mac, s.name, s.answers, s.notes}.appendTo(nil)
	s.attempts++
	var failed []error
	for i, family := range families {
		if s.sent[i] >= copies {
			continue
		}
		err := errNoSocket
		if l.sockets[i] != nil {
			err = l.sockets[i].send(b)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("send by %s: %w", family.name, err))
			continue
		}
		s.sent[i]++
	}
	if slices.Max(s.sent[:]) > 0 {
		return nil
	}
	return errors.Join(failed...)
}

// done says that all copies have left by every family that is there.
func (l *link) done(s *saying) bool {
	for i := range families {
		if s.sent[i] < copies && l.sockets[i] != nil {
			return false
		}
	}
	return slices.Max(s.sent[:]) >= copies
}

// tellMute logs when nothing can be said on the link, and when it can again.
func (l *link) tellMute(err error) {
	switch {
	case err != nil && !l.told.mute:
		l.told.mute = true
		l.of.log.Warn("siblings on this interface cannot be told", "interface", l.name, "error", err)
	case err == nil && l.told.mute:
		l.told.mute = false
		l.of.log.Info("siblings on this interface can be told again", "interface", l.name)
	}
}

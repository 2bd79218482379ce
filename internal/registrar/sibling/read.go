// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package sibling

import (
	"errors"
	"slices"
	"time"
)

// A sibling that floods costs a registrar floodBurst notes in a floodWindow and
// family, and the rest of a datagram: some 25 µs each, and perhaps an answer. What
// else comes is dropped by the kernel. The burst is what the pods of a full worker
// say at once.
const (
	floodBurst  = 128
	floodWindow = 100 * time.Millisecond
)

// read hears one socket until it is closed.
func (l *link) read(family int, s conn) {
	buffer := make([]byte, maxLength+1) // one more shows what is too long
	var p pace
	for {
		n, err := s.receive(buffer)
		if err != nil {
			l.lost(family, s, err)
			return
		}
		h, ok := l.take(buffer[:n])
		if ok {
			select {
			case l.of.heard <- h:
			case <-l.gone:
				return
			}
		}
		if d := p.next(time.Now(), max(1, len(h.Notes))); d > 0 {
			select {
			case <-time.After(d):
			case <-l.gone:
				return
			}
		}
	}
}

// take returns what is worth hearing in a datagram: the words of a sibling on
// the same ENI, once, and not the answers to others or to old questions.
func (l *link) take(b []byte) (Heard, bool) {
	d, err := parse(b)
	c := l.of
	c.mu.Lock()
	defer c.mu.Unlock()
	switch other := versionError(0); {
	case errors.As(err, &other):
		once(&l.told.other, func() {
			c.log.Warn("a sibling on this interface speaks another version", "interface", l.name, "error", err,
				"cure", "bring the pods on this worker to one release; until then an address that moves between them can be without a route for some seconds")
		})
	case err != nil:
		once(&l.told.stranger, func() {
			c.log.Debug("not understood", "interface", l.name, "error", err)
		})
	case d.name.speaker == c.speaker: // by another interface on the same ENI
	case d.mac != l.mac:
		once(&l.told.stranger, func() {
			c.log.Debug("heard from another ENI", "interface", l.name, "mac", d.mac.String())
		})
	case c.memory.first(b):
		h := Heard{Link: l.name, Notes: d.notes, name: d.name}
		if d.answers != (name{}) {
			h.Answer, h.Notes = true, l.fresh(d)
		}
		return h, len(h.Notes) > 0
	}
	return Heard{}, false
}

// fresh are the notes that answer the last question that was asked of their
// address here.
func (l *link) fresh(d datagram) []Note {
	if d.answers.speaker != l.of.speaker {
		return nil
	}
	return slices.DeleteFunc(d.notes, func(n Note) bool {
		asked, ok := l.asked[n.Addr]
		return !ok || asked != d.answers.number
	})
}

// once tells what is worth telling once for a link.
func once(told *bool, tell func()) {
	if !*told {
		*told = true
		tell()
	}
}

// lost puts a socket away that failed. It is opened again when the next
// snapshot comes: a socket that fails at once must not keep anybody busy.
func (l *link) lost(family int, s conn, err error) {
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	if l.sockets[family] != s {
		return // closed on purpose
	}
	l.drop(family)
	l.of.log.Warn("siblings on this interface are not heard any more by one family",
		"interface", l.name, "family", families[family].name, "error", err)
}

// A pace bounds how fast notes are taken.
type pace struct {
	began time.Time
	taken int
}

// next counts the notes of a datagram and says how long to wait before the next.
func (p *pace) next(now time.Time, notes int) time.Duration {
	if now.Sub(p.began) >= floodWindow {
		p.began, p.taken = now, 0
	}
	if p.taken += notes; p.taken < floodBurst {
		return 0
	}
	return floodWindow - now.Sub(p.began)
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package sibling

import (
	"errors"
	"time"
)

// A sibling that floods costs a registrar this many datagrams a second and
// family at most: a wake-up and some microseconds each. The rest is dropped by
// the kernel. The burst is what the pods of a full worker say at once.
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
		if notes := l.take(buffer[:n]); notes != nil {
			select {
			case l.of.heard <- Heard{l.name, notes}:
			case <-l.gone:
				return
			}
		}
		if d := p.next(time.Now()); d > 0 {
			select {
			case <-time.After(d):
			case <-l.gone:
				return
			}
		}
	}
}

// take returns what is worth hearing in a datagram: the words of a sibling on
// the same ENI, once.
func (l *link) take(b []byte) []Note {
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
	case d.speaker == c.speaker: // by another interface on the same ENI
	case d.mac != l.mac:
		once(&l.told.stranger, func() {
			c.log.Debug("heard from another ENI", "interface", l.name, "mac", d.mac.String())
		})
	case c.memory.first(b):
		return d.notes
	}
	return nil
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

// A pace bounds how fast datagrams are taken.
type pace struct {
	began time.Time
	taken int
}

// next counts a datagram and says how long to wait before the next.
func (p *pace) next(now time.Time) time.Duration {
	if now.Sub(p.began) >= floodWindow {
		p.began, p.taken = now, 0
	}
	if p.taken++; p.taken < floodBurst {
		return 0
	}
	return floodWindow - now.Sub(p.began)
}

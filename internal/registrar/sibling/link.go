// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package sibling

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// families are the ways to the siblings. All that is said goes both ways, in
// this order: the pods' interfaces have IPv6 switched off, are without an IPv4
// address, or wait for the end of duplicate address detection, and not all of
// them the same.
var families = [...]struct {
	number int
	name   string
}{{unix.AF_INET, "IPv4"}, {unix.AF_INET6, "IPv6"}}

// A link is one interface. All of it is guarded by the Conversation's mutex.
type link struct {
	of    *Conversation
	name  string
	index int
	mac   mac
	// sockets are by family, nil where there is none. A socket that fails is
	// closed, and opened again with the next snapshot.
	sockets [len(families)]conn
	// gone is closed when the link is.
	gone chan struct{}
	// sayings are those that are to be said again.
	sayings []*saying
	// asked has the number of the last question of each address.
	asked map[netip.Addr]uint32
	// told is what the log knows of the link.
	told struct {
		deaf, mute, stranger, other bool
		cannotOpen                  [len(families)]string
	}
}

func newLink(c *Conversation, name string, index int) *link {
	return &link{of: c, name: name, index: index, gone: make(chan struct{}), asked: map[netip.Addr]uint32{}}
}

// open opens the sockets that are missing, each with its reader.
func (l *link) open() {
	var why error
	there := false
	for i, family := range families {
		if l.sockets[i] == nil {
			s, err := l.of.open(family.number, l.index)
			if err != nil {
				why = err
				if text := err.Error(); l.told.cannotOpen[i] != text {
					l.told.cannotOpen[i] = text
					l.of.log.Debug("siblings cannot be heard by one family",
						"interface", l.name, "family", family.name, "error", err)
				}
				continue
			}
			l.sockets[i], l.told.cannotOpen[i] = s, ""
			l.of.readers.Go(func() { l.read(i, s) })
		}
		there = true
	}
	switch {
	case !there && !l.told.deaf:
		l.told.deaf = true
		l.of.log.Warn("siblings on this interface cannot be heard", "interface", l.name, "error", why,
			"cure", "let the container open UDP sockets; until then an address that moves to another pod on this worker can be without a route for some seconds")
	case there && l.told.deaf:
		l.told.deaf = false
		l.of.log.Info("siblings on this interface can be heard again", "interface", l.name)
	}
}

func (l *link) close() {
	close(l.gone)
	for i := range l.sockets {
		l.drop(i)
	}
	for _, s := range l.sayings {
		s.timer.Stop()
	}
	l.sayings = nil
}

func (l *link) drop(family int) {
	if s := l.sockets[family]; s != nil {
		s.close()
		l.sockets[family] = nil
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package sibling

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
)

// ErrNotFollowed says that there is no such interface, or that it has no MAC
// address to tell siblings by.
var ErrNotFollowed = errors.New("the interface is not followed")

// A Heard is what a sibling said on one interface, at one time.
type Heard struct {
	// Link is the name of the interface on which it was heard. The sibling's
	// interface is on the same ENI.
	Link string
	// Answer says that this answers the last question that was asked here of
	// each of these addresses. Other answers are not heard: what a sibling said
	// before it was asked may not be true any more.
	Answer bool
	// Notes are 1 to 64.
	Notes []Note

	name name // what an answer to this names
}

// A Conversation is what is said and heard on all interfaces of a pod. Its
// methods may be called at the same time, and none of them waits.
type Conversation struct {
	log     *slog.Logger
	open    opener
	speaker uint64
	heard   chan Heard
	readers sync.WaitGroup

	mu     sync.Mutex
	closed bool
	links  map[string]*link
	number uint32
	memory memory
}

// New makes a Conversation that does nothing until interfaces are followed.
// The logger is told once when an interface cannot be spoken on (warn), and
// when it can again; nil for none.
func New(log *slog.Logger) *Conversation {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	return &Conversation{
		log:     log,
		open:    openSocket,
		speaker: binary.NativeEndian.Uint64(id[:]),
		heard:   make(chan Heard),
		links:   map[string]*link{},
		memory:  memory{seed: maphash.MakeSeed()},
	}
}

// Heard gives what siblings say. While nobody takes it, it waits in the
// kernel's buffers, and is dropped when they are full. The channel is never
// closed.
func (c *Conversation) Heard() <-chan Heard { return c.heard }

// Follow listens on these interfaces and on no others. It is to be called with
// every snapshot, of which the caller takes out those that it does not look
// after; without a change it costs nothing. What failed before is tried again.
// Loopback, and interfaces without a MAC address, are left out.
func (c *Conversation) Follow(interfaces []netwatch.Interface) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	for name, l := range c.links {
		there := slices.ContainsFunc(interfaces, func(i netwatch.Interface) bool {
			return i.Name == name && i.Index == l.index
		})
		if !there {
			l.close()
			delete(c.links, name)
		}
	}
	for _, i := range interfaces {
		c.follow(i)
	}
}

func (c *Conversation) follow(i netwatch.Interface) {
	mac, ok := parseMAC(i.MAC)
	l := c.links[i.Name]
	if i.Loopback || !ok {
		if l != nil {
			l.close()
			delete(c.links, i.Name)
		}
		return
	}
	if l == nil {
		l = newLink(c, i.Name, i.Index)
		c.links[i.Name] = l
	}
	l.mac = mac
	l.open()
}

// Say tells the siblings on an interface, at once and once more a few
// milliseconds later, since datagrams get lost. What was said before of the
// same addresses is not repeated any more. An error says that nothing has left
// yet, for want of an interface, of a link that is up, or of a usable address
// of it; it is tried again for some seconds.
func (c *Conversation) Say(link string, notes ...Note) error {
	return c.say(link, name{}, notes)
}

// Answer is Say to the one who asked: others do not hear it.
func (c *Conversation) Answer(question Heard, notes ...Note) error {
	return c.say(question.Link, question.name, notes)
}

func (c *Conversation) say(link string, answers name, notes []Note) error {
	for _, n := range notes {
		if err := n.check(); err != nil {
			return fmt.Errorf("say to the siblings on %s: %w", link, err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.links[link]
	if l == nil || c.closed {
		return fmt.Errorf("say to the siblings on %s: %w", link, ErrNotFollowed)
	}
	l.supersede(notes)
	var failed []error
	for some := range slices.Chunk(notes, maxNotes) {
		c.number++
		failed = append(failed, l.say(name{c.speaker, c.number}, answers, slices.Clone(some)))
	}
	if err := errors.Join(failed...); err != nil {
		return fmt.Errorf("say to the siblings on %s: %w", link, err)
	}
	return nil
}

// Close ends the conversation, and returns when nothing of it runs any more. The
// last words, too, are said twice, which takes 12 ms at most.
func (c *Conversation) Close() {
	c.mu.Lock()
	c.closed = true
	for limit := time.Now().Add(2 * pauses[0]); c.unsaid() && time.Now().Before(limit); {
		c.mu.Unlock()
		time.Sleep(pauses[0] / 4)
		c.mu.Lock()
	}
	for name, l := range c.links {
		l.close()
		delete(c.links, name)
	}
	c.mu.Unlock()
	c.readers.Wait()
}

// unsaid says that a datagram has left once and is to be said again.
func (c *Conversation) unsaid() bool {
	for _, l := range c.links {
		if slices.ContainsFunc(l.sayings, func(s *saying) bool { return s.attempts < copies }) {
			return true
		}
	}
	return false
}

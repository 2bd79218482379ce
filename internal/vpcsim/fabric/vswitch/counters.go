// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vswitch

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Reason says why a packet was dropped.
type Reason string

const (
	// Unmapped: no ENI owns the destination. Unanswered ARP requests and
	// neighbour solicitations count too: they are all that is seen of a ping
	// to an unmapped neighbour.
	Unmapped Reason = "unmapped"
	// NoRoute: the destination lies outside of the VPC, and no route of the
	// sender's subnet leads there. This and the next two are what
	// VPC.Undelivered says.
	NoRoute Reason = "no-route"
	// Blackhole: the route leads to an ENI that does not exist any more.
	Blackhole Reason = "blackhole"
	// DestCheck: the route leads to an ENI whose source/destination check is
	// on, and that does not own the destination.
	DestCheck Reason = "dest-check"
	// SourceCheck: the sending ENI does not own the source address.
	SourceCheck Reason = "source-check"
	// UnknownMAC: the frame's source is not the ENI's MAC (macvlan, bridges).
	UnknownMAC Reason = "unknown-mac"
	// Multicast: a VPC carries neither multicast nor broadcast.
	Multicast Reason = "multicast"
	// NotIP: neither IP nor ARP.
	NotIP Reason = "not-ip"
	// OwnMAC: the ENI sent the frame to itself, and a wire does not echo.
	OwnMAC Reason = "own-mac"
	// Unplugged: the owner's worker is gone, or its link is down.
	Unplugged Reason = "unplugged"
)

// A Drop is packets that one ENI sent between two addresses and that were
// dropped for one reason. Addresses are invalid where the frame had none.
type Drop struct {
	Reason   Reason
	Src, Dst netip.Addr
	Count    uint64
	Last     time.Time
}

// Counters is what happened to the frames of one ENI.
type Counters struct {
	// Sent are frames from this ENI that were handed to their owner's ENI, or
	// to a service; Delivered are frames that were handed to this one.
	Sent, Delivered uint64
	// Dropped counts the frames that this ENI sent and that went nowhere.
	Dropped map[Reason]uint64
	// Drops are the same by addresses, the latest first; at most maxDrops
	// pairs of addresses are kept apart, and a kernel's own multicast is not.
	Drops []Drop
}

// maxDrops bounds the memory that a scan of an address range can take.
const maxDrops = 256

type dropKey struct {
	reason   Reason
	src, dst netip.Addr
}

type counters struct {
	sent, delivered atomic.Uint64

	mu      sync.Mutex
	dropped map[Reason]uint64
	drops   map[dropKey]*Drop
}

func newCounters() *counters {
	return &counters{dropped: make(map[Reason]uint64), drops: make(map[dropKey]*Drop)}
}

func (c *counters) drop(r Reason, src, dst netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropped[r]++
	if r == Multicast && (src.IsLinkLocalUnicast() || src.IsUnspecified()) {
		return // kernels' own chatter (MLD), which nobody looks for
	}
	k := dropKey{r, src, dst}
	d := c.drops[k]
	if d == nil {
		if len(c.drops) >= maxDrops {
			return
		}
		d = &Drop{Reason: r, Src: src, Dst: dst}
		c.drops[k] = d
	}
	d.Count++
	d.Last = time.Now()
}

func (c *counters) read() Counters {
	out := Counters{Sent: c.sent.Load(), Delivered: c.delivered.Load(), Dropped: make(map[Reason]uint64)}
	c.mu.Lock()
	defer c.mu.Unlock()
	for r, n := range c.dropped {
		out.Dropped[r] = n
	}
	for _, d := range c.drops {
		out.Drops = append(out.Drops, *d)
	}
	slices.SortFunc(out.Drops, func(a, b Drop) int {
		return cmp.Or(b.Last.Compare(a.Last), a.Src.Compare(b.Src), a.Dst.Compare(b.Dst))
	})
	return out
}

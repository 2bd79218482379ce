// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
)

const (
	// Interval makes 1,000 packets a second.
	Interval = time.Millisecond
	// lateAnswers is how long answers are waited for after the last packet.
	lateAnswers = 200 * time.Millisecond
	echoPort    = 7 // RFC 862
)

// A Stream is a client that sends numbered packets to an address at a steady
// pace and notes which are answered. Both ways can lose a packet: what counts
// is what a client would see.
type Stream struct {
	conn  net.Conn
	began time.Time
	stop  context.CancelFunc
	done  sync.WaitGroup

	mu      sync.Mutex
	packets []Packet
}

// Start sends from a pod's namespace to an Echo until Finish or Close.
func Start(ctx context.Context, from *netspace.Namespace, to netip.Addr) (*Stream, error) {
	conn, err := from.Dial(ctx, "udp", netip.AddrPortFrom(to, echoPort).String())
	if err != nil {
		return nil, fmt.Errorf("send packets to %s: %w", to, err)
	}
	ctx, stop := context.WithCancel(ctx)
	s := &Stream{conn: conn, began: time.Now(), stop: stop}
	s.done.Go(func() { s.send(ctx) })
	s.done.Go(s.receive)
	return s, nil
}

// send keeps to the schedule: a packet that is late does not delay the next.
func (s *Stream) send(ctx context.Context) {
	pace := time.NewTimer(0)
	defer pace.Stop()
	buf := make([]byte, 8)
	for n := 0; ; n++ {
		pace.Reset(time.Until(s.began.Add(time.Duration(n) * Interval)))
		select {
		case <-ctx.Done():
			return
		case <-pace.C:
		}
		s.mu.Lock()
		s.packets = append(s.packets, Packet{time.Since(s.began), Never})
		s.mu.Unlock()
		binary.BigEndian.PutUint64(buf, uint64(n))
		_, _ = s.conn.Write(buf) // what cannot be sent is lost, as on the way
	}
}

func (s *Stream) receive() {
	buf := make([]byte, 64)
	for {
		n, err := s.conn.Read(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue // an ICMP error about a packet that is lost anyway
		}
		if n != 8 {
			continue
		}
		at, number := time.Since(s.began), binary.BigEndian.Uint64(buf)
		s.mu.Lock()
		if number < uint64(len(s.packets)) && s.packets[number].Answered == Never {
			s.packets[number].Answered = at
		}
		s.mu.Unlock()
	}
}

// AnsweredSince counts the answers to packets that were sent after a moment.
func (s *Stream) AnsweredSince(moment time.Time) int {
	since := moment.Sub(s.began)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for i := len(s.packets) - 1; i >= 0 && s.packets[i].Sent > since; i-- {
		if s.packets[i].Answered != Never {
			n++
		}
	}
	return n
}

// Packets are the packets so far, and when the first was due.
func (s *Stream) Packets() (began time.Time, all []Packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.began, slices.Clone(s.packets)
}

// LastAnswer is when the last answer came.
func (s *Stream) LastAnswer() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := time.Duration(0)
	for _, p := range s.packets {
		last = max(last, p.Answered)
	}
	return s.began.Add(last)
}

// Finish stops streams, waits for late answers and judges them.
func Finish(streams []*Stream) []Loss {
	var ends []time.Duration
	for _, s := range streams {
		ends = append(ends, time.Since(s.began))
		s.stop()
	}
	time.Sleep(lateAnswers)
	var out []Loss
	for i, s := range streams {
		s.Close()
		out = append(out, Measure(s.packets, ends[i]))
	}
	return out
}

// Close ends a stream that nobody judges. Closing twice is success.
func (s *Stream) Close() {
	s.stop()
	_ = s.conn.Close()
	s.done.Wait()
}

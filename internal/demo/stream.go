// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
)

const (
	// packetInterval makes 1,000 packets a second.
	packetInterval = time.Millisecond
	// lateAnswers is how long answers are waited for after the last packet.
	lateAnswers = 200 * time.Millisecond
	echoPort    = 7 // RFC 862
)

// A stream is a client that sends numbered packets to an address at a steady
// pace and notes which are answered. Both ways can lose a packet: what counts
// is what a client would see.
type stream struct {
	conn  net.Conn
	began time.Time
	stop  context.CancelFunc
	done  sync.WaitGroup

	mu      sync.Mutex
	packets []packet
}

// startStream sends from a pod's namespace until finish.
func startStream(ctx context.Context, from *netspace.Namespace, to netip.Addr) (*stream, error) {
	conn, err := from.Dial(ctx, "udp", netip.AddrPortFrom(to, echoPort).String())
	if err != nil {
		return nil, fmt.Errorf("send packets to %s: %w", to, err)
	}
	ctx, stop := context.WithCancel(ctx)
	s := &stream{conn: conn, began: time.Now(), stop: stop}
	s.done.Go(func() { s.send(ctx) })
	s.done.Go(s.receive)
	return s, nil
}

// send keeps to the schedule: a packet that is late does not delay the next.
func (s *stream) send(ctx context.Context) {
	pace := time.NewTimer(0)
	defer pace.Stop()
	buf := make([]byte, 8)
	for n := 0; ; n++ {
		pace.Reset(time.Until(s.began.Add(time.Duration(n) * packetInterval)))
		select {
		case <-ctx.Done():
			return
		case <-pace.C:
		}
		s.mu.Lock()
		s.packets = append(s.packets, packet{time.Since(s.began), never})
		s.mu.Unlock()
		binary.BigEndian.PutUint64(buf, uint64(n))
		_, _ = s.conn.Write(buf) // what cannot be sent is lost, as on the way
	}
}

func (s *stream) receive() {
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
		if number < uint64(len(s.packets)) && s.packets[number].answered == never {
			s.packets[number].answered = at
		}
		s.mu.Unlock()
	}
}

// answeredSince counts the answers to packets that were sent after a moment.
func (s *stream) answeredSince(moment time.Time) int {
	since := moment.Sub(s.began)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for i := len(s.packets) - 1; i >= 0 && s.packets[i].sent > since; i-- {
		if s.packets[i].answered != never {
			n++
		}
	}
	return n
}

// lastAnswer is when the last answer came.
func (s *stream) lastAnswer() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := time.Duration(0)
	for _, p := range s.packets {
		last = max(last, p.answered)
	}
	return s.began.Add(last)
}

// finish stops streams, waits for late answers and judges them.
func finish(streams []*stream) []loss {
	var ends []time.Duration
	for _, s := range streams {
		ends = append(ends, time.Since(s.began))
		s.stop()
	}
	time.Sleep(lateAnswers)
	var out []loss
	for i, s := range streams {
		s.close()
		out = append(out, measure(s.packets, ends[i]))
	}
	return out
}

// close ends a stream that nobody judges. Closing twice is success.
func (s *stream) close() {
	s.stop()
	_ = s.conn.Close()
	s.done.Wait()
}

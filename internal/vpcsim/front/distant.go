// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package front

import (
	"io"
	"net"
	"sync"
	"time"
)

// window is how many chunks may be under way in one direction of a connection.
const window = 64

// Distant returns a listener whose peers are one round trip away: bytes take
// half of it in either direction, and the first ones of a connection a whole
// one more, for the SYN and its answer, which the kernel has exchanged at once.
// Close ends l and the connections on their way, and waits for them.
func Distant(l net.Listener, roundTrip time.Duration) net.Listener {
	return &distant{Listener: l, roundTrip: roundTrip, open: make(map[net.Conn]bool)}
}

type distant struct {
	net.Listener
	roundTrip time.Duration
	ways      sync.WaitGroup
	mu        sync.Mutex
	closed    bool
	open      map[net.Conn]bool
}

// Accept returns the server's end.
func (d *distant) Accept() (net.Conn, error) {
	far, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	near, server := net.Pipe()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		_ = far.Close()
		return nil, net.ErrClosed
	}
	for _, c := range []net.Conn{far, near} {
		d.open[c] = true
	}
	d.ways.Go(func() { d.carry(near, far, time.Now().Add(d.roundTrip)) })
	d.ways.Go(func() { d.carry(far, near, time.Time{}) })
	return &end{server, far}, nil
}

// Close implements net.Listener.
func (d *distant) Close() error {
	err := d.Listener.Close()
	d.mu.Lock()
	d.closed = true
	for c := range d.open {
		_ = c.Close()
	}
	d.mu.Unlock()
	d.ways.Wait()
	return err
}

type chunk struct {
	bytes []byte
	due   time.Time
}

// carry copies from one end to the other, where each byte arrives half a round
// trip after it left, or after notBefore. When one end closes, so does the
// other, as late.
func (d *distant) carry(to, from net.Conn, notBefore time.Time) {
	under := make(chan chunk, window)
	d.ways.Go(func() {
		defer d.drop(to)
		for c := range under {
			time.Sleep(time.Until(c.due))
			if len(c.bytes) == 0 {
				return
			}
			if _, err := to.Write(c.bytes); err != nil {
				d.drop(from)
				for range under { // lets the reader end
				}
				return
			}
		}
	})
	defer close(under)
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		left := time.Now()
		if left.Before(notBefore) {
			left = notBefore
		}
		if n > 0 {
			under <- chunk{append([]byte(nil), buf[:n]...), left.Add(d.roundTrip / 2)}
		}
		if err != nil {
			if err == io.EOF {
				under <- chunk{nil, left.Add(d.roundTrip / 2)}
			}
			return
		}
	}
}

func (d *distant) drop(c net.Conn) {
	_ = c.Close()
	d.mu.Lock()
	delete(d.open, c)
	d.mu.Unlock()
}

// end is a server's end; its addresses are those of the connection.
type end struct {
	net.Conn
	far net.Conn
}

func (e *end) LocalAddr() net.Addr  { return e.far.LocalAddr() }
func (e *end) RemoteAddr() net.Addr { return e.far.RemoteAddr() }

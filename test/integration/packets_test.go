// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"net/netip"
	"time"
)

// echoPort is that of the echo service. Source: RFC 862.
const echoPort = 7

// answers serves UDP at addresses of a pod until the test ends; each answer is
// the pod's name. Serving twice is serving once.
func (l *lab) answers(pod string, addresses ...string) {
	l.t.Helper()
	for _, a := range addresses {
		if l.served[pod+a] {
			continue
		}
		l.served[pod+a] = true
		c, err := l.Fabric.Pod(pod).ListenPacket(l.t.Context(), "udp", netip.AddrPortFrom(netip.MustParseAddr(a), echoPort).String())
		check(l.t, err)
		done := make(chan struct{})
		go func() {
			defer close(done)
			buf := make([]byte, 64)
			for {
				_, who, err := c.ReadFrom(buf)
				if err != nil {
					return
				}
				_, _ = c.WriteTo([]byte(pod), who) // the asker asks again
			}
		}()
		l.t.Cleanup(func() {
			_ = c.Close()
			<-done
		})
	}
}

// asks says which pod answers at an address, "" where none does.
func (l *lab) asks(from, address string) string {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	c, err := l.Fabric.Pod(from).Dial(ctx, "udp", netip.AddrPortFrom(netip.MustParseAddr(address), echoPort).String())
	check(l.t, err)
	defer c.Close()
	buf := make([]byte, 64)
	_, _ = c.Write([]byte("who?")) // lost packets are what is looked for
	check(l.t, c.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	n, err := c.Read(buf)
	if err != nil {
		return ""
	}
	return string(buf[:n])
}

// untilReaches waits until packets from one pod to an address arrive at another.
func (l *lab) untilReaches(from, address, pod string) {
	l.t.Helper()
	l.eventually(address+" answered by "+pod, func() (any, bool) {
		got := l.asks(from, address)
		return got, got == pod
	})
}

// wantSilence checks that nobody answers.
func (l *lab) wantSilence(from, address string) {
	l.t.Helper()
	if got := l.asks(from, address); got != "" {
		l.t.Errorf("%s is answered by %s, want silence", address, got)
	}
}

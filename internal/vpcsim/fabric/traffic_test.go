// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"crypto/sha256"
	"io"
	"math/rand"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/sandboxtest"
)

// TestTCPTransferIsIntact sends through taps without offloads, so that the
// kernel has to compute, and checks, every checksum.
func TestTCPTransferIsIntact(t *testing.T) {
	f, o := start(t, Options{})
	assignAll(o)
	for _, ip := range []struct{ server, client string }{
		{"10.0.1.103", "a"}, {"[2001:db8:0:1::103]", "a"}, {"10.0.1.103", "m"}, {"[2001:db8:0:1::103]", "m"},
	} {
		const size = 4 << 20
		l, err := f.Pod("b").Listen(t.Context(), "tcp", ip.server+":7000", "")
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan [32]byte, 1)
		go func() {
			h := sha256.New()
			c, err := l.Accept()
			if err == nil {
				_, _ = io.Copy(h, c)
				_ = c.Close()
			}
			got <- [32]byte(h.Sum(nil))
		}()
		began := time.Now()
		c, err := f.Pod(ip.client).Dial(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		if _, err := io.Copy(io.MultiWriter(c, h), io.LimitReader(rand.New(rand.NewSource(1)), size)); err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
		if sum := <-got; sum != [32]byte(h.Sum(nil)) {
			t.Errorf("%d bytes to %s arrived changed", size, ip.server)
		}
		_ = l.Close()
		t.Logf("%s → %s: %.0f MB/s", ip.client, ip.server, size/time.Since(began).Seconds()/1e6)
	}
}

func TestPacketsPerSecondAndLatency(t *testing.T) {
	f, o := start(t, Options{})
	assignAll(o)
	server, err := f.Pod("b").ListenPacket(t.Context(), "udp", "10.0.1.103:7000")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client, err := f.Pod("a").Dial(t.Context(), "udp", "10.0.1.103:7000")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()

	median := roundTrip(t, client, server)
	t.Logf("round trip of 64 bytes, median: %v", median)
	if !sandboxtest.Race && median > time.Millisecond {
		t.Errorf("round trip of 64 bytes takes %v, want less than 1ms", median)
	}
	var rate float64
	for range 4 { // the best of some, since machines that run tests are busy
		rate = max(rate, packetsPerSecond(client, server))
	}
	t.Logf("%.0f packets of 64 bytes per second", rate)
	// Sender, switch and receiver need more than one CPU.
	if !sandboxtest.Race && runtime.NumCPU() > 1 && rate < 20000 {
		t.Errorf("%.0f packets per second, want 20000", rate)
	}
}

func roundTrip(t *testing.T, client net.Conn, server net.PacketConn) time.Duration {
	t.Helper()
	const rounds = 500
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 64)
		for range rounds {
			n, who, err := server.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = server.WriteTo(buf[:n], who)
		}
	}()
	buf := make([]byte, 64)
	var took []time.Duration
	_ = client.SetReadDeadline(time.Now().Add(10 * time.Second))
	for range rounds {
		began := time.Now()
		if _, err := client.Write(buf); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Read(buf); err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	<-done
	slices.Sort(took)
	t.Logf("round trip p99: %v", took[len(took)*99/100])
	return took[len(took)/2]
}

// packetsPerSecond counts what arrives while the client sends all it can.
func packetsPerSecond(client net.Conn, server net.PacketConn) float64 {
	const window = 400 * time.Millisecond
	stop := time.Now().Add(window)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		buf := make([]byte, 64)
		for time.Now().Before(stop) {
			_, _ = client.Write(buf)
		}
	}()
	buf := make([]byte, 64)
	n := 0
	_ = server.SetReadDeadline(stop)
	for {
		if _, _, err := server.ReadFrom(buf); err != nil {
			break
		}
		n++
	}
	<-sent
	return float64(n) / window.Seconds()
}

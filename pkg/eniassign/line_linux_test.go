// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// A tlsEC2 is an EC2 endpoint behind TLS that counts what reaches it.
type tlsEC2 struct {
	*httptest.Server
	connections, handshakes, resumed atomic.Int32
	mu                               sync.Mutex
	asked                            []string
	// answer decides; nil answers pings with "healthy" and calls with success.
	answer http.HandlerFunc
}

func newTLSEC2(t *testing.T, answer http.HandlerFunc) *tlsEC2 {
	t.Helper()
	s := &tlsEC2{answer: answer}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.Method+" "+r.URL.Path)
		s.mu.Unlock()
		if s.answer != nil {
			s.answer(w, r)
			return
		}
		healthy(w, r)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	s.TLS = &tls.Config{VerifyConnection: func(c tls.ConnectionState) error {
		s.handshakes.Add(1)
		if c.DidResume {
			s.resumed.Add(1)
		}
		return nil
	}}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func healthy(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		_, _ = io.WriteString(w, "healthy")
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = io.WriteString(w, assigned)
}

// line is a Line to s that trusts its certificate, as AWS_CA_BUNDLE makes it.
func (s *tlsEC2) line(t *testing.T) *Line {
	t.Helper()
	cfg := testConfig(nil)
	cfg.BaseEndpoint = &s.URL
	cfg.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.TLSClientConfig.RootCAs = s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	})
	return NewLine(cfg)
}

func (l *Line) claim(t *testing.T) string {
	t.Helper()
	c := &Client{EC2: l.API}
	return strings.TrimSpace(table(c.Do(t.Context(), Call{Verb: Claim, ENI: "eni-a", Family: IPv4, Addrs: addrs("10.0.1.40")})))
}

func TestPingedConnectionsServeCallsAtOnce(t *testing.T) {
	s := newTLSEC2(t, nil)
	l := s.line(t)
	if p, err := l.Ping(t.Context(), 4); err != nil || p != (Pinged{Opened: 4}) {
		t.Fatalf("the first ping: %+v, %v", p, err)
	}
	for range 20 {
		if p, err := l.Ping(t.Context(), 4); err != nil || p != (Pinged{Warm: 4}) {
			t.Fatalf("a later ping: %+v, %v", p, err)
		}
	}
	var calls sync.WaitGroup
	for range 4 {
		calls.Go(func() {
			if got := l.claim(t); got != "10.0.1.40 ok" {
				t.Errorf("the call ended with %s", got)
			}
		})
	}
	calls.Wait()
	if c, h := s.connections.Load(), s.handshakes.Load(); c != 4 || h != 4 {
		t.Errorf("%d connections and %d handshakes, want the 4 of the first ping", c, h)
	}
}

func TestAClosedConnectionIsToldAndItsTLSSessionResumed(t *testing.T) {
	s := newTLSEC2(t, nil)
	l := s.line(t)
	if _, err := l.Ping(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	time.Sleep(20 * time.Millisecond)
	s.CloseClientConnections()
	select {
	case idle := <-l.Lost:
		if idle < 20*time.Millisecond || idle > time.Since(began)+time.Second {
			t.Errorf("idle for %v", idle)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the loss was not told")
	}
	if p, err := l.Ping(t.Context(), 2); err != nil || p.Opened == 0 {
		t.Errorf("the ping after the loss: %+v, %v", p, err)
	}
	if s.resumed.Load() == 0 {
		t.Error("no TLS session was resumed")
	}
}

// TestPingsGoWhereTheConnectionStaysOpen: what EC2 answers to a ping is not
// documented; each outcome is survived.
func TestPingsGoWhereTheConnectionStaysOpen(t *testing.T) {
	shut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusBadRequest)
	}
	tests := map[string]struct {
		answer http.HandlerFunc
		asked  []string
		err    error
	}{
		"healthy":     {nil, []string{"GET /ping", "GET /ping"}, nil},
		"not found":   {http.NotFound, []string{"GET /ping", "GET /ping"}, nil},
		"moved":       {http.RedirectHandler("https://elsewhere.invalid/", http.StatusMovedPermanently).ServeHTTP, []string{"GET /ping", "GET /ping"}, nil},
		"both closed": {shut, []string{"GET /ping", "GET /", "GET /"}, ErrPingCloses},
		"one closed": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/ping" {
				shut(w, r)
			}
		}, []string{"GET /ping", "GET /", "GET /"}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newTLSEC2(t, tt.answer)
			l := s.line(t)
			for range 2 {
				if _, err := l.Ping(t.Context(), 1); !errors.Is(err, tt.err) {
					t.Errorf("got %v, want %v", err, tt.err)
				}
			}
			if diff := cmp.Diff(tt.asked, s.asked); diff != "" {
				t.Errorf("asked (-want +got)\n%s", diff)
			}
		})
	}
}

func TestPingTellsWhatIsWrong(t *testing.T) {
	s := newTLSEC2(t, nil)
	l := s.line(t)
	s.Close()
	if _, err := l.Ping(t.Context(), 4); err == nil || !strings.Contains(err.Error(), "ping EC2") {
		t.Errorf("got %v", err)
	}
	cfg := testConfig(nil)
	cfg.Region = ""
	if _, err := NewLine(cfg).Ping(t.Context(), 4); err == nil || !strings.Contains(err.Error(), "Region") {
		t.Errorf("got %v", err)
	}
}

// TestACallOnAConnectionThatEC2JustClosedIsSentAgain: the close and the call
// cross on the way; net/http repeats no POST.
func TestACallOnAConnectionThatEC2JustClosedIsSentAgain(t *testing.T) {
	var drop atomic.Bool
	var slow atomic.Int64
	s := newTLSEC2(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && drop.CompareAndSwap(true, false) {
			time.Sleep(time.Duration(slow.Load()))
			panic(http.ErrAbortHandler) // closes the connection without an answer
		}
		healthy(w, r)
	})
	calls := func() (n int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, a := range s.asked {
			if a == "POST /" {
				n++
			}
		}
		s.asked = nil
		return n
	}
	const inDoubt = "10.0.1.40 EC2NoAnswer Transient in doubt"
	for _, tt := range []struct {
		name  string
		warm  int
		after time.Duration
		want  string
		calls int
		// opened counts the connections of the call, and of another after a failure.
		opened int32
	}{
		{"on a reused connection", 4, 0, "10.0.1.40 ok", 2, 1},
		{"on a new connection", 0, 0, inDoubt, 1, 2},
		{"after a while", 4, resendWithin + 50*time.Millisecond, inDoubt, 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := s.line(t)
			if tt.warm > 0 {
				if _, err := l.Ping(t.Context(), tt.warm); err != nil {
					t.Fatal(err)
				}
			}
			calls()
			opened := s.connections.Load()
			slow.Store(int64(tt.after))
			drop.Store(true)
			if got := l.claim(t); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if n := calls(); n != tt.calls {
				t.Errorf("%d calls, want %d", n, tt.calls)
			}
			// After a failure no old connection is trusted.
			if tt.calls == 1 {
				if got := l.claim(t); got != "10.0.1.40 ok" {
					t.Errorf("the next call ended with %s", got)
				}
			}
			if n := s.connections.Load() - opened; n != tt.opened {
				t.Errorf("%d connections were opened, want %d", n, tt.opened)
			}
		})
	}
}

func TestALineRefusesAFalseCertificate(t *testing.T) {
	s := newTLSEC2(t, nil)
	cfg := testConfig(nil)
	cfg.BaseEndpoint = &s.URL
	if got := NewLine(cfg).claim(t); got != "10.0.1.40 EC2Unreachable Transient" {
		t.Errorf("got %s", got)
	}
}

// TestConnectionsFindADeadPeerSoon: the kernel's limits are set.
func TestConnectionsFindADeadPeerSoon(t *testing.T) {
	s := newTLSEC2(t, nil)
	tr := newEC2Transport(awshttp.NewBuildableClient(), func() {})
	c, err := tr.DialContext(t.Context(), "tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw, err := c.(*watchedConn).Conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []struct {
		name         string
		option, want int
	}{
		{"TCP_USER_TIMEOUT", unix.TCP_USER_TIMEOUT, 2000}, {"TCP_KEEPIDLE", unix.TCP_KEEPIDLE, 5},
		{"TCP_KEEPINTVL", unix.TCP_KEEPINTVL, 1}, {"TCP_KEEPCNT", unix.TCP_KEEPCNT, 3},
	} {
		if err := raw.Control(func(fd uintptr) {
			if got, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, o.option); err != nil || got != o.want {
				t.Errorf("%s is %d, %v; want %d", o.name, got, err, o.want)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
}

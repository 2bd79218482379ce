// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/cmd/webhook/internal/certs"
)

// A pipeListener hands out connections in memory, which have the bubble's clock.
type pipeListener struct {
	made   chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.made:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.IPAddr{} }

// dial connects as an API server does: TLS, HTTP/1.1.
func (l *pipeListener) dial(t *testing.T) *tls.Conn {
	t.Helper()
	client, server := net.Pipe()
	l.made <- server
	c := tls.Client(client, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	if err := c.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

// serveInMemory runs the server of admissions with a handler that reads the body.
func serveInMemory(t *testing.T, do func(*pipeListener)) {
	t.Helper()
	state, err := certs.UsualPolicy("registrar", "system").Next(certs.State{}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	a := &app{log: slog.New(slog.NewTextHandler(io.Discard, nil)), pair: &certs.Pair{}}
	if _, err := a.pair.Set(state.Cert, state.Key); err != nil {
		t.Fatal(err)
	}
	a.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			http.Error(w, "too slow", http.StatusRequestTimeout)
		}
	})
	s, l := a.webServer(), &pipeListener{make(chan net.Conn), make(chan struct{})}
	served := make(chan error)
	go func() { served <- s.ServeTLS(l, "", "") }()
	do(l)
	if err := errors.Join(s.Close(), ended(<-served)); err != nil {
		t.Error(err)
	}
}

func ask(c net.Conn, r *bufio.Reader, body string) (int, error) {
	_, err := io.WriteString(c, "POST /inject HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"+body)
	if err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}

// TestAnUnusedConnectionIsKept: an API server's client dials more connections than it
// needs, keeps those that it did not need for 90 s, and loses the request that it
// sends just when one of them is closed.
func TestAnUnusedConnectionIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serveInMemory(t, func(l *pipeListener) {
			c := l.dial(t)
			r := bufio.NewReader(c)
			for range 2 {
				time.Sleep(100 * time.Second)
				if code, err := ask(c, r, "{}"); code != http.StatusOK {
					t.Errorf("%d, %v", code, err)
				}
			}
			_ = c.Close()
		})
	})
}

// TestASlowBodyIsNotWaitedFor.
func TestASlowBodyIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serveInMemory(t, func(l *pipeListener) {
			c := l.dial(t)
			start := time.Now()
			if code, err := ask(c, bufio.NewReader(c), "{"); code != http.StatusRequestTimeout {
				t.Errorf("%d, %v", code, err)
			}
			if took := time.Since(start); took != readTimeout {
				t.Errorf("it took %v", took)
			}
			_ = c.Close()
		})
	})
}

// TestAnUnusedConnectionEnds: nobody keeps one for ever.
func TestAnUnusedConnectionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serveInMemory(t, func(l *pipeListener) {
			c := l.dial(t)
			start := time.Now()
			_, err := c.Read(make([]byte, 1))
			if took := time.Since(start); !errors.Is(err, io.EOF) || took != idleTimeout {
				t.Errorf("%v after %v", err, took)
			}
			_ = c.Close()
		})
	})
}

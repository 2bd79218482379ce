// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vpcsim

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// headerTimeout bounds what a client that says nothing can hold.
const headerTimeout = 30 * time.Second

// A server is an HTTP server whose close waits for its handlers.
type server struct {
	http     *http.Server
	cancel   context.CancelFunc
	handlers sync.WaitGroup
	ended    chan struct{}
}

type connKey struct{}

// serve serves h on l until Close.
func (s *Sim) serve(l net.Listener, h http.Handler) { s.serveUntilIdle(l, h, 0) }

// serveUntilIdle also closes connections that were idle for that long; 0 is never.
func (s *Sim) serveUntilIdle(l net.Listener, h http.Handler, idle time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	srv := &server{cancel: cancel, ended: make(chan struct{})}
	srv.http = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			srv.handlers.Add(1)
			defer srv.handlers.Done()
			h.ServeHTTP(w, r)
		}),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       max(idle, 0),
		ErrorLog:          log.New(io.Discard, "", 0), // clients that go away are no news
	}
	s.servers = append(s.servers, srv)
	go func() {
		defer close(srv.ended)
		_ = srv.http.Serve(l) // ends by close only
	}()
}

func (s *server) close() error {
	s.cancel()
	err := s.http.Close()
	<-s.ended
	s.handlers.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

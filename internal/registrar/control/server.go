// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// SocketName is the socket's name in the state directory.
	SocketName = "registrar.sock"
	// maxPath is the longest path a Unix socket can have on Linux, less the
	// closing zero byte. Source: unix(7).
	maxPath = 107
)

// SocketPath is the socket in a state directory.
func SocketPath(dir string) string { return filepath.Join(dir, SocketName) }

// A Server answers with the last published document.
type Server struct {
	mu      sync.Mutex
	doc     Document
	changed chan struct{} // closed at the next Publish
}

// NewServer has nothing to say until the first Publish.
func NewServer() *Server { return &Server{changed: make(chan struct{})} }

// Publish makes d the answer from now on.
func (s *Server) Publish(d Document) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doc = d
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Server) current() (Document, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.doc, s.changed
}

// Listen makes the socket in dir. A socket that a killed process left is
// replaced; one that answers is an error: two registrars must not share a
// state directory.
func Listen(dir string) (net.Listener, error) {
	path := SocketPath(dir)
	if len(path) > maxPath {
		return nil, fmt.Errorf("make the status socket: %s has %d bytes, Linux allows %d: choose a shorter --state-dir", path, len(path), maxPath)
	}
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return nil, &InUseError{path}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove the status socket of an earlier run: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("make the status socket: %w", err)
	}
	return l, nil
}

// An InUseError says that another registrar has the state directory.
type InUseError struct{ Path string }

func (e *InUseError) Error() string {
	return fmt.Sprintf("another registrar answers on %s: give this one its own --state-dir, or end the other", e.Path)
}

// Serve answers on l until ctx ends; then it closes l and returns nil.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, _ *http.Request) {
		doc, _ := s.current()
		write(w, doc)
	})
	mux.HandleFunc("GET /v1/ready", s.ready)
	h := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	stop := context.AfterFunc(ctx, func() { h.Close() })
	defer stop()
	if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the status socket: %w", err)
	}
	return nil
}

// ready answers as soon as the document says ready.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	for {
		doc, changed := s.current()
		if doc.Ready {
			write(w, doc)
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}

func write(w http.ResponseWriter, d Document) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(d) // the asker has gone: nobody to tell
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

type dialContext = func(ctx context.Context, network, address string) (net.Conn, error)

// watched makes dial's connections tell when the other end has closed them.
func watched(dial dialContext, ended func()) dialContext {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &watchedConn{Conn: c, ended: ended}, nil
	}
}

// closesWithin is how soon net/http closes its end when the other has closed.
const closesWithin = time.Second

type watchedConn struct {
	net.Conn
	read  atomic.Int64 // when a read last returned, in ns of Unix
	once  sync.Once
	ended func()
}

// Read returns for the other end's close, too: as the end, or with TLS's notice.
func (w *watchedConn) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.read.Store(time.Now().UnixNano())
	return n, err
}

// Close is told where the other end has closed. One without anything read
// before it is net/http's own, after ec2IdleTimeout, of a connection too many.
func (w *watchedConn) Close() error {
	byPeer := time.Since(time.Unix(0, w.read.Load())) < closesWithin
	err := w.Conn.Close()
	w.once.Do(func() { // a close makes reads return as well
		if byPeer {
			w.ended()
		}
	})
	return err
}

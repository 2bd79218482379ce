// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"net"
	"sync"
)

type dialContext = func(ctx context.Context, network, address string) (net.Conn, error)

// watched makes dial's connections tell when they end.
func watched(dial dialContext, ended func()) dialContext {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &watchedConn{Conn: c, tell: sync.OnceFunc(ended)}, nil
	}
}

type watchedConn struct {
	net.Conn
	tell func()
}

// Close is called by net/http as soon as it has seen the other end's.
func (w *watchedConn) Close() error {
	err := w.Conn.Close()
	w.tell()
	return err
}

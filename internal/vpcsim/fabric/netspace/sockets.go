// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netspace

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// Dial connects from inside of the namespace. The address must be literal:
// a resolver would run outside.
func (n *Namespace) Dial(ctx context.Context, network, address string) (c net.Conn, err error) {
	if _, err := netip.ParseAddrPort(address); err != nil {
		return nil, fmt.Errorf("dial from namespace %s: not an IP address with a port: %w", n.Name, err)
	}
	err = n.Run(func() error {
		c, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return err
	})
	return c, err
}

// Listen listens inside of the namespace; device, when not "", is the only
// interface that connections are taken from (SO_BINDTODEVICE).
func (n *Namespace) Listen(ctx context.Context, network, address, device string) (l net.Listener, err error) {
	err = n.Run(func() error {
		l, err = listenConfig(device).Listen(ctx, network, address)
		return err
	})
	return l, err
}

// ListenPacket is Listen for datagrams.
func (n *Namespace) ListenPacket(ctx context.Context, network, address string) (c net.PacketConn, err error) {
	err = n.Run(func() error {
		c, err = listenConfig("").ListenPacket(ctx, network, address)
		return err
	})
	return c, err
}

// Client returns an HTTP client that connects from inside of the namespace and
// keeps no connection open.
func (n *Namespace) Client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: n.Dial, DisableKeepAlives: true}}
}

func listenConfig(device string) *net.ListenConfig {
	lc := &net.ListenConfig{}
	lc.SetMultipathTCP(false) // its sockets do not take every option of TCP's
	if device == "" {
		return lc
	}
	lc.Control = func(_, _ string, c syscall.RawConn) error {
		var inner error
		err := c.Control(func(fd uintptr) {
			inner = unix.BindToDevice(int(fd), device)
		})
		if err == nil && inner != nil {
			err = fmt.Errorf("bind to device %s: %w", device, inner)
		}
		return err
	}
	return lc
}

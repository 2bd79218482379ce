// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
)

// An Echo is the application of a pod: it answers each packet with itself, on
// addresses that the pod may get only later, as applications behind keepalived
// do.
type Echo struct {
	conns []net.PacketConn
	done  sync.WaitGroup
}

// StartEcho answers on the addresses, in a pod's namespace, until Close.
func StartEcho(ctx context.Context, in *netspace.Namespace, addrs []netip.Addr) (*Echo, error) {
	e := &Echo{}
	lc := net.ListenConfig{Control: freebind}
	for _, a := range addrs {
		var c net.PacketConn
		err := in.Run(func() (err error) {
			c, err = lc.ListenPacket(ctx, "udp", netip.AddrPortFrom(a, echoPort).String())
			return err
		})
		if err != nil {
			e.Close()
			return nil, fmt.Errorf("answer packets to %s in %s: %w", a, in.Name, err)
		}
		e.conns = append(e.conns, c)
		e.done.Go(func() { answer(c) })
	}
	return e, nil
}

func answer(c net.PacketConn) {
	buf := make([]byte, 64)
	for {
		n, who, err := c.ReadFrom(buf)
		if err != nil {
			return // closed: a socket that is not connected has no other errors
		}
		_, _ = c.WriteTo(buf[:n], who)
	}
}

// Close ends it.
func (e *Echo) Close() {
	for _, c := range e.conns {
		_ = c.Close()
	}
	e.done.Wait()
}

// freebind lets a socket have an address that is not there yet.
func freebind(network, _ string, c syscall.RawConn) error {
	var inner error
	err := c.Control(func(fd uintptr) {
		if network == "udp6" {
			inner = unix.SetsockoptInt(int(fd), unix.SOL_IPV6, unix.IPV6_FREEBIND, 1)
			return
		}
		inner = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_FREEBIND, 1)
	})
	return errors.Join(err, inner)
}

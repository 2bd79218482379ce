// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// notificationGroups are the kernel's announcements that a snapshot may
	// have changed.
	notificationGroups = unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR

	// receiveBuffer is what the socket asks for. Without a capability the
	// kernel grants up to net.core.rmem_max (208 KiB by default), doubled
	// (socket(7)): room for 512 notifications of 832 bytes each. It only has
	// to make overflows rare: one costs a new subscription and a listing,
	// nothing else. Unused, it takes no memory.
	receiveBuffer = 1 << 20

	// drainLimit ends the reading of a burst that does not end by itself, so
	// that a listing is made while it goes on. It is more than the whole
	// receive buffer holds (2518 notifications).
	drainLimit = 4096

	// hintSize is how much of a notification is read. None of it is looked
	// at, and the kernel drops the rest; but a read of 0 bytes reads nothing.
	hintSize = 16
)

// notifications is a socket that carries all groups. The library's own
// AddrSubscribe and LinkSubscribe have a socket and two goroutines each,
// which nobody can wait for, and end at the first ENOBUFS.
type notifications struct {
	file *os.File
	conn syscall.RawConn
}

// openNotifications subscribes in the calling thread's network namespace.
func openNotifications(bufferSize int) (notifications, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return notifications{}, fmt.Errorf("open notification socket: %w", err)
	}
	file := os.NewFile(uintptr(fd), "netlink notifications")
	conn, err := file.SyscallConn()
	err = errors.Join(err,
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, bufferSize),
		unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: notificationGroups}))
	if err != nil {
		return notifications{}, fmt.Errorf("subscribe to notifications: %w", errors.Join(err, file.Close()))
	}
	return notifications{file: file, conn: conn}, nil
}

// wait blocks until there is a notification, then takes whatever else is
// queued, and returns when the first was read. After the limit, if above 0, it
// returns the zero time. When ctx ends, the subscription is closed and wait returns
// os.ErrClosed.
func (n notifications) wait(ctx context.Context, limit time.Duration) (first time.Time, err error) {
	var deadline time.Time
	if limit > 0 {
		deadline = time.Now().Add(limit)
	}
	if err := n.file.SetReadDeadline(deadline); err != nil {
		return time.Time{}, err
	}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		n.close()
		close(closed)
	})
	defer func() {
		if !stop() {
			<-closed
		}
	}()
	var readErr error
	err = n.conn.Read(func(fd uintptr) bool {
		first, readErr = drain(int(fd))
		return !first.IsZero() || readErr != nil
	})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return time.Time{}, nil
	}
	return first, errors.Join(err, readErr)
}

func (n notifications) close() { _ = n.file.Close() } // nothing is buffered

// drain reads until nothing is queued and returns when it read the first.
// ENOBUFS ends it: what follows the loss is covered by the next listing.
func drain(fd int) (first time.Time, err error) {
	var hint [hintSize]byte
	for range drainLimit {
		_, err := unix.Read(fd, hint[:])
		if errors.Is(err, unix.EAGAIN) {
			break
		}
		if first.IsZero() {
			first = time.Now()
		}
		if err != nil {
			return first, fmt.Errorf("read notification: %w", err)
		}
	}
	return first, nil
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package sibling

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// Port is the UDP port of all that is said. It lies in 29170 to 29998,
	// which IANA has not assigned, and below the ports that Linux gives to
	// clients (net.ipv4.ip_local_port_range).
	Port = 29647

	// One hop: no router may pass it on, as if the groups' scope did not
	// forbid that already (RFC 4291, section 2.7; RFC 5771, section 4).
	hops = 1
)

// The groups are those of all nodes of a link, not groups of our own. The
// kernel is always in them and never reports that it is (RFC 2236, section 6;
// RFC 3810, section 6): nothing is sent while nothing is said, and no
// router, not even a transit gateway's multicast domain, learns of a member
// that it could pass the messages on to. The IPv4 group has another merit: to
// 224.0.0.0/24 Linux sends from an interface without an address, and takes what
// has the source 0.0.0.0.
var (
	group4 = [4]byte{224, 0, 0, 1}
	group6 = [16]byte{0: 0xff, 1: 0x02, 15: 1}
)

// A socket sends to one group on one interface and hears what comes to that
// group there, and nothing else: it is bound to the group's address, so a
// datagram from beyond the link, which can only be unicast, does not reach it.
type socket struct {
	fd    int // as long as file is open
	file  *os.File
	raw   syscall.RawConn
	group unix.Sockaddr
}

// An opener opens the socket of one family on the interface with an index.
type opener func(family, index int) (conn, error)

// A conn is a socket. Neither method blocks but receive.
type conn interface {
	send([]byte) error
	// receive waits for a datagram; it is cut off at the buffer's length.
	receive([]byte) (int, error)
	close()
}

func openSocket(family, index int) (conn, error) {
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open a UDP socket: %w", err)
	}
	s := &socket{fd: fd}
	setUp := s.setUp6
	if family == unix.AF_INET {
		setUp = s.setUp4
	}
	if err := setUp(index); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	s.file = os.NewFile(uintptr(fd), "siblings") // with the poller, since it does not block
	if s.raw, err = s.file.SyscallConn(); err != nil {
		_ = s.file.Close()
		return nil, err
	}
	return s, nil
}

// An option is a socket option with its value, and a name for errors.
type option struct {
	level, name, value int
	label              string
}

func (s *socket) set(options []option) error {
	for _, o := range options {
		if err := unix.SetsockoptInt(s.fd, o.level, o.name, o.value); err != nil {
			return fmt.Errorf("set %s: %w", o.label, err)
		}
	}
	return nil
}

// shared lets another process of the namespace hear the same group and port:
// a datagram to a group is given to all.
var shared = option{unix.SOL_SOCKET, unix.SO_REUSEADDR, 1, "SO_REUSEADDR"}

func (s *socket) setUp4(index int) error {
	group := &unix.SockaddrInet4{Port: Port, Addr: group4}
	s.group = group
	membership := &unix.IPMreqn{Multiaddr: group4, Ifindex: int32(index)}
	err := s.set([]option{
		shared,
		{unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, hops, "IP_MULTICAST_TTL"},
		{unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP, 0, "IP_MULTICAST_LOOP"},
		// Without this it would hear the group on every interface.
		{unix.IPPROTO_IP, unix.IP_MULTICAST_ALL, 0, "IP_MULTICAST_ALL"},
	})
	if err != nil {
		return err
	}
	if err := unix.SetsockoptIPMreqn(s.fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, membership); err != nil {
		return fmt.Errorf("set IP_MULTICAST_IF: %w", err)
	}
	if err := unix.SetsockoptIPMreqn(s.fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, membership); err != nil {
		return fmt.Errorf("join the IPv4 group of all nodes: %w", err)
	}
	if err := unix.Bind(s.fd, group); err != nil {
		return fmt.Errorf("bind to UDP port %d of the IPv4 group of all nodes: %w", Port, err)
	}
	return nil
}

func (s *socket) setUp6(index int) error {
	group := &unix.SockaddrInet6{Port: Port, Addr: group6, ZoneId: uint32(index)}
	s.group = group
	err := s.set([]option{
		shared,
		{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1, "IPV6_V6ONLY"},
		{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, hops, "IPV6_MULTICAST_HOPS"},
		{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_LOOP, 0, "IPV6_MULTICAST_LOOP"},
		{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, index, "IPV6_MULTICAST_IF"},
	})
	if err != nil {
		return err
	}
	membership := &unix.IPv6Mreq{Multiaddr: group6, Interface: uint32(index)}
	if err := unix.SetsockoptIPv6Mreq(s.fd, unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, membership); err != nil {
		return fmt.Errorf("join the IPv6 group of all nodes: %w", err)
	}
	// The zone binds it to the interface too.
	if err := unix.Bind(s.fd, group); err != nil {
		return fmt.Errorf("bind to UDP port %d of the IPv6 group of all nodes: %w", Port, err)
	}
	return nil
}

func (s *socket) send(b []byte) error {
	return unix.Sendto(s.fd, b, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, s.group)
}

func (s *socket) receive(b []byte) (n int, err error) {
	waitErr := s.raw.Read(func(fd uintptr) bool {
		for err = unix.EINTR; err == unix.EINTR; {
			n, _, err = unix.Recvfrom(int(fd), b, unix.MSG_DONTWAIT)
		}
		return err != unix.EAGAIN
	})
	if waitErr != nil {
		return 0, waitErr // closed
	}
	return n, err
}

// close ends receive too.
func (s *socket) close() { _ = s.file.Close() }

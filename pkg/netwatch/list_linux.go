// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

const (
	// A dump is answered within the request's own system call; the limit only
	// keeps a kernel that never answers from holding the caller for ever.
	answerLimitSeconds = 10

	// skipStatistics is RTEXT_FILTER_SKIP_STATS of linux/rtnetlink.h, which
	// the libraries lack. The counters are half of a link's message.
	skipStatistics = 1 << 3
)

// requests lists a namespace over a socket of its own, so that overflowing
// notifications cannot disturb a dump.
type requests struct {
	socket *nl.SocketHandle
}

// openRequests opens the socket in the calling thread's network namespace.
func openRequests() (requests, error) {
	socket, err := nl.GetNetlinkSocketAt(-1, -1, unix.NETLINK_ROUTE)
	if err != nil {
		return requests{}, fmt.Errorf("open netlink socket: %w", err)
	}
	limit := unix.Timeval{Sec: answerLimitSeconds}
	_ = socket.SetSendTimeout(&limit)    // stores the value, cannot fail
	_ = socket.SetReceiveTimeout(&limit) // likewise
	return requests{&nl.SocketHandle{Socket: socket}}, nil
}

func (r requests) close() { r.socket.Close() }

// list makes one full listing, of three dumps.
//
// Addresses are dumped before links: an address is set after its link got its
// name and MAC address, so an address in the first dumps has the right ones in
// the last. The other way round a snapshot could show a pod's eth0 under the
// name that it was created with.
//
// The families are dumped one by one: where all are asked for at once, the
// kernel forgets between two families that the first was interrupted
// (rtnl_dump_all in net/core/rtnetlink.c).
func (r requests) list() (listing, error) {
	var addresses []foundAddress
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		found, err := r.addresses(family, parseAddress)
		if err != nil {
			return listing{}, fmt.Errorf("list addresses: %w", err)
		}
		addresses = append(addresses, found...)
	}
	links, err := dump(r, unix.RTM_GETLINK, unix.RTM_NEWLINK, parseLink,
		nl.NewIfInfomsg(unix.AF_UNSPEC),
		nl.NewRtAttr(unix.IFLA_EXT_MASK, nl.Uint32Attr(skipStatistics)))
	if err != nil {
		return listing{}, fmt.Errorf("list links: %w", err)
	}
	return assemble(links, addresses), nil
}

// addresses dumps one family. A kernel without IPv6 answers with all families,
// that is, with IPv4 once more: assemble does not mind.
func (r requests) addresses(family int, parse func([]byte) (foundAddress, error)) ([]foundAddress, error) {
	return dump(r, unix.RTM_GETADDR, unix.RTM_NEWADDR, parse, nl.NewIfAddrmsg(family))
}

// dump asks for everything of one type. A dump that changes of the tables
// interrupted is an error (netlink.ErrDumpInterrupted): it may lack what was
// there all the time.
func dump[T any](r requests, ask int, answer uint16, parse func([]byte) (T, error), data ...nl.NetlinkRequestData) ([]T, error) {
	request := nl.NewNetlinkRequest(ask, unix.NLM_F_DUMP)
	request.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: r.socket}
	for _, d := range data {
		request.AddData(d)
	}
	var (
		found    []T
		parseErr error
	)
	err := request.ExecuteIter(unix.NETLINK_ROUTE, answer, func(payload []byte) bool {
		var one T
		if one, parseErr = parse(payload); parseErr == nil {
			found = append(found, one)
		}
		return parseErr == nil
	})
	if err == nil {
		err = parseErr
	}
	return found, err
}

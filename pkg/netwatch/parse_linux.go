// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Why these messages are read here and not by the library's LinkList: that
// loses the kernel's kind ("tun" becomes "tuntap"), and one odd attribute of
// one link fails the whole listing.

// A foundAddress is one RTM_NEWADDR message.
type foundAddress struct {
	index  int
	prefix netip.Prefix
	flags  uint32
}

// parseAddress reads the payload of an RTM_NEWADDR message. A family other
// than IPv4 and IPv6 gives an invalid prefix.
func parseAddress(payload []byte) (foundAddress, error) {
	if len(payload) < unix.SizeofIfAddrmsg {
		return foundAddress{}, fmt.Errorf("read address message: %d bytes are too few", len(payload))
	}
	header := nl.DeserializeIfAddrmsg(payload)
	found := foundAddress{index: int(header.Index), flags: uint32(header.Flags)}
	var local, address []byte
	a := attributes{rest: payload[unix.SizeofIfAddrmsg:]}
	for a.next() {
		switch a.kind {
		case unix.IFA_LOCAL:
			local = a.value
		case unix.IFA_ADDRESS:
			address = a.value
		case unix.IFA_FLAGS:
			// Replaces the header's flags, which are the low 8 bits only.
			if len(a.value) >= 4 {
				found.flags = binary.NativeEndian.Uint32(a.value)
			}
		}
	}
	if a.err != nil {
		return foundAddress{}, fmt.Errorf("read address message: %w", a.err)
	}
	if header.Family != unix.AF_INET && header.Family != unix.AF_INET6 {
		return found, nil
	}
	// IPv4 always has IFA_LOCAL, IPv6 only where there is a peer. With a peer
	// IFA_ADDRESS is the peer's, and the prefix length belongs to the peer
	// (ip-address(8)): the local address then stands alone.
	bits := int(header.Prefixlen)
	if local == nil {
		local = address
	} else if address != nil && !slices.Equal(local, address) {
		bits = 8 * len(local)
	}
	if addr, ok := netip.AddrFromSlice(local); ok {
		found.prefix = netip.PrefixFrom(addr, bits)
	}
	return found, nil
}

// parseLink reads the payload of an RTM_NEWLINK message into an Interface
// that has no addresses yet.
func parseLink(payload []byte) (Interface, error) {
	if len(payload) < unix.SizeofIfInfomsg {
		return Interface{}, fmt.Errorf("read link message: %d bytes are too few", len(payload))
	}
	header := nl.DeserializeIfInfomsg(payload)
	link := Interface{
		Index:    int(header.Index),
		Loopback: header.Flags&unix.IFF_LOOPBACK != 0,
		Up:       header.Flags&unix.IFF_UP != 0,
	}
	a := attributes{rest: payload[unix.SizeofIfInfomsg:]}
	for a.next() {
		switch a.kind {
		case unix.IFLA_IFNAME:
			link.Name = unix.ByteSliceToString(a.value)
		case unix.IFLA_ADDRESS:
			link.MAC = macString(a.value)
		case unix.IFLA_LINKINFO:
			info := attributes{rest: a.value}
			for info.next() {
				if info.kind == unix.IFLA_INFO_KIND {
					link.Kind = unix.ByteSliceToString(info.value)
				}
			}
			a.err = info.err
		}
	}
	if a.err != nil {
		return Interface{}, fmt.Errorf("read link message: %w", a.err)
	}
	return link, nil
}

// macString is "" for no address and for the all-zero one of a loopback link.
func macString(address []byte) string {
	if !slices.ContainsFunc(address, func(b byte) bool { return b != 0 }) {
		return ""
	}
	return net.HardwareAddr(address).String()
}

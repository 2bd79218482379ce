// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"net/netip"
	"slices"
	"time"
)

// An Interface is one link of the namespace with its usable addresses.
type Interface struct {
	// Name is the interface's name in its namespace, such as "net1".
	Name string
	// Index is the kernel's number of the interface, unique in its namespace.
	Index int
	// MAC is the link-layer address in lower case with colons, "" where the
	// link has none. An ipvlan interface has its master's.
	MAC string
	// Kind is the kernel's name of the link's driver ("ipvlan", "veth",
	// "tun"), "" for a physical device.
	Kind string
	// Loopback says that the kernel flags the link as loopback.
	Loopback bool
	// Up says that the link is administratively up.
	Up bool
	// Prefixes are the usable addresses with their prefix lengths, sorted.
	// Loopback, link-local, multicast and unspecified addresses are left out,
	// and so are IPv6 addresses whose duplicate address detection is running
	// (tentative) or has failed.
	Prefixes []netip.Prefix
	// Tentative are the IPv6 addresses that will be usable when their
	// duplicate address detection is over and has not failed, sorted. That
	// takes 1 to 2 s from when the link can carry packets.
	Tentative []netip.Prefix
}

// A Snapshot is what one full listing of a namespace found.
type Snapshot struct {
	// Noticed is when the first notification that led to this listing was
	// read, or when the listing began where none did.
	Noticed time.Time
	// Interfaces are sorted by Index. Interfaces without addresses are here too.
	Interfaces []Interface
}

// Equal tells whether both snapshots found the same, whenever they were made.
func (s Snapshot) Equal(o Snapshot) bool {
	return slices.EqualFunc(s.Interfaces, o.Interfaces, Interface.Equal)
}

// Equal tells whether both describe the same state of an interface.
func (i Interface) Equal(o Interface) bool {
	return i.Name == o.Name && i.Index == o.Index && i.MAC == o.MAC && i.Kind == o.Kind &&
		i.Loopback == o.Loopback && i.Up == o.Up &&
		slices.Equal(i.Prefixes, o.Prefixes) && slices.Equal(i.Tentative, o.Tentative)
}

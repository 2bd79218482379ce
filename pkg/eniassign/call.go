// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import "net/netip"

// A Verb is what is to become of an address on an ENI.
type Verb int

const (
	// Claim assigns and takes the address away from another ENI that holds it
	// as secondary: IPv4 with AllowReassignment in one call, IPv6 by
	// unassigning from the owner first where a plain assign was refused.
	Claim Verb = iota + 1
	// Hold assigns, but never takes an address away from another ENI.
	Hold
	// Release unassigns. An address that is not there counts as released.
	Release
)

// A Family is the IP version of the addresses of one call.
type Family int

// The two families that EC2 has separate actions for.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// An Item is one address with what is to become of it.
type Item struct {
	Addr netip.Addr
	ENI  string
	Verb Verb
}

// A Call is what one EC2 request can carry: one verb, one ENI, one family.
type Call struct {
	Verb   Verb
	ENI    string
	Family Family
	// Addrs are sorted and without duplicates.
	Addrs []netip.Addr
	// About is what is known of the ENI, its zero value where nothing is. Its
	// primaries are never released, its VPC bounds the search for the owner of
	// an address (unknown, it costs a Describe to learn), and its instance type is
	// named where the ENI is full. Plan fills it in.
	About ENI
}

// An Outcome is what became of one address of a Call.
type Outcome struct {
	Addr netip.Addr
	// Reason is nil when EC2 acknowledged the address (or, for Release, that
	// it is not there any more).
	Reason *Reason
	// InDoubt says that a request may have been sent and that its answer does
	// not tell (none came, a 5xx came, or the address is not in it), so that
	// EC2 may or may not have done it. Reason is then not nil.
	InDoubt bool
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import "net/netip"

// A Verb is what is to become of an address on an ENI.
type Verb int

const (
	// Claim assigns and takes the address away from another ENI that holds it
	// as secondary: IPv4 with AllowReassignment in one call, IPv6 by
	// unassigning from the owner first where a plain assign was refused. A
	// route is led to the ENI, wherever it leads now.
	Claim Verb = iota + 1
	// Hold assigns, but never takes an address away from another ENI. A route
	// is made where there is none or where it leads nowhere ("blackhole").
	Hold
	// Release unassigns. An address that is not there counts as released. A
	// route is deleted only while it leads to the ENI.
	Release
)

// A Family is the IP version of the addresses of one call.
type Family int

// The two families that EC2 has separate actions for.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// FamilyOf is the family of an address, whose IPv4 form is no mapped IPv6 one.
func FamilyOf(a netip.Addr) Family {
	if a.Is4() {
		return IPv4
	}
	return IPv6
}

// An Item is one address with what is to become of it.
type Item struct {
	Addr netip.Addr
	ENI  string
	// Table is the ID of the route table ("rtb-…") in which Addr is to be a
	// /32 or /128 route to ENI, as a floating IP outside of the VPC's blocks
	// is. "" is a secondary address of the ENI.
	Table string
	Verb  Verb
}

// A Call is what one EC2 request can carry: one verb, one ENI, one family; and
// of routes one table and one address.
type Call struct {
	Verb   Verb
	ENI    string
	Family Family
	// Table is the ID of the route table that the address is a route in, "" for
	// secondary addresses.
	Table string
	// Addrs are sorted and without duplicates. A route's call has one.
	Addrs []netip.Addr
	// About is what is known of the ENI, its zero value where nothing is. Its
	// primaries are never released, its VPC bounds the search for the owner of
	// an address (unknown, it costs a Describe to learn), and its instance type is
	// named where the ENI is full. A route is not led to an ENI whose
	// SourceDestCheck is known to be on. Plan fills it in.
	About ENI
	// Urgent says that traffic is lost until the address is here: a Claim of
	// IPv6 addresses then spends requests to save time. It unassigns from a
	// remembered owner and assigns here without waiting in between, and where no
	// owner is remembered it looks for one while the first assign is under way.
	// The caller sets it; other calls do not change by it.
	Urgent bool
	// Owners are the ENIs that held IPv6 addresses when the caller last looked.
	// They may be out of date or incomplete: an ENI that does not hold the
	// address loses nothing, and the true owner is looked up then. Read of an
	// Urgent Claim only. The caller sets it.
	Owners map[netip.Addr]string
	// Stop is closed when nobody wants the addresses any more: then no further
	// request of a Claim or Hold begins, and those under way are waited for. Where
	// an address was being taken from another ENI by then, it is still assigned,
	// or given back. What was not asked for is refused as RequestCanceled. It may
	// be nil; a Release does not read it. The caller sets it.
	Stop <-chan struct{}
	// ID is the caller's own name for the call; nothing here reads it.
	ID uint64
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
	// Freed says of an IPv6 address that was refused here that it was taken from
	// its owner before, so that nobody has it: there is no owner to ask again.
	Freed bool
}

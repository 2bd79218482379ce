// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sibling lets the registrars of the pods that share an ENI talk about
// an address that moves from one of them to another, so that the release of
// the one never undoes the claim of the other (docs/adr/0007).
//
// They talk by link-local multicast on the interface itself: with ipvlan in
// mode l2 that reaches the interfaces on the same ENI of the same worker and
// nothing else, and needs no right at all. Nothing is said while no address
// moves. What cannot be sent or heard is silence, never an error that stops
// the work.
//
// The package carries words. What they mean for a claim is the ledger's.
package sibling

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// The reasons why an address is left out of a snapshot.
const (
	reasonTentative = "duplicate address detection is running"
	reasonFailed    = "duplicate address detection failed: another machine has this address"
	reasonScope     = "not a unicast address that leaves the machine's link"
)

// usable tells whether an address with these kernel flags (IFA_F_…) counts,
// and the reason where it does not.
//
// An optimistic address (RFC 4429) is left out while it is tentative: the
// kernel already sends from it, but another machine may yet prove to hold it,
// and to report it would be to claim it from that machine. A deprecated
// address counts: it still receives.
func usable(addr netip.Addr, flags uint32) (ok bool, reason string) {
	switch {
	case addr.Is4In6(), addr.IsUnspecified(), addr.IsLoopback(), addr.IsMulticast(), addr.IsLinkLocalUnicast():
		return false, reasonScope
	case flags&unix.IFA_F_DADFAILED != 0:
		return false, reasonFailed
	case flags&unix.IFA_F_TENTATIVE != 0:
		return false, reasonTentative
	}
	return true, ""
}

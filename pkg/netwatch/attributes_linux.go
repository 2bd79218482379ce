// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"
)

var errMalformed = errors.New("malformed netlink attribute")

// An attributes value walks over the attributes of a netlink message in
// place. The library's ParseRouteAttr makes a list of some 50 for each link,
// of which two are wanted, and panics where the last one is not padded.
type attributes struct {
	rest []byte
	// kind and value are those of the current attribute.
	kind  uint16
	value []byte
	err   error
}

// next goes to the next attribute, and returns false at the end or at an
// error.
func (a *attributes) next() bool {
	if a.err != nil || len(a.rest) == 0 {
		return false
	}
	if len(a.rest) < unix.SizeofRtAttr {
		a.err = errMalformed
		return false
	}
	length := int(binary.NativeEndian.Uint16(a.rest))
	if length < unix.SizeofRtAttr || length > len(a.rest) {
		a.err = errMalformed
		return false
	}
	a.kind = binary.NativeEndian.Uint16(a.rest[2:]) & attributeTypeMask
	a.value = a.rest[unix.SizeofRtAttr:length]
	padded := (length + unix.RTA_ALIGNTO - 1) &^ (unix.RTA_ALIGNTO - 1)
	a.rest = a.rest[min(padded, len(a.rest)):]
	return true
}

// attributeTypeMask is NLA_TYPE_MASK of linux/netlink.h: the upper two bits
// are flags.
const attributeTypeMask = 1<<14 - 1

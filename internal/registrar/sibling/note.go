// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package sibling

import (
	"fmt"
	"net/netip"
	"strconv"
)

// A Standing is how the one who speaks stands to an address, on the ENI of the
// interface on which it speaks.
type Standing uint8

// The numbers are those on the wire: a new meaning needs a new version.
const (
	// Nothing says that the address is not in the speaker's kernel. As an
	// answer it is not worth saying: silence means the same.
	Nothing Standing = iota
	// MayTake says that the address is not in the speaker's kernel, and is one
	// of the floating IPs that it was told to expect.
	MayTake
	// Holds says that the address is in the speaker's kernel, and that the
	// speaker claims it on this ENI.
	Holds
	// Releasing says that the speaker has a call in flight that takes the
	// address from this ENI. Released follows, unless the speaker ends.
	Releasing
	// Released says that such a call is over, and that the address is not on
	// this ENI unless somebody has assigned it since. Who holds it asserts it
	// again.
	Released
	standings int = iota
)

var standingNames = [standings]string{"nothing", "may take", "holds", "releasing", "released"}

func (s Standing) String() string {
	if int(s) < standings {
		return standingNames[s]
	}
	return "standing " + strconv.Itoa(int(s))
}

// A Note is what is said of one address.
type Note struct {
	// Addr is a global unicast address, IPv4 never in its IPv6 form.
	Addr netip.Addr
	// Standing is the speaker's own.
	Standing Standing
	// Question asks the others to tell theirs. Who has nothing to tell is silent.
	Question bool
}

func (n Note) String() string {
	if n.Question {
		return fmt.Sprintf("%v: %v, and who else?", n.Addr, n.Standing)
	}
	return fmt.Sprintf("%v: %v", n.Addr, n.Standing)
}

// check says what is wrong with a note, if anything.
func (n Note) check() error {
	a := n.Addr
	switch {
	case !a.IsGlobalUnicast() || a.Is4In6() || a.Zone() != "":
		return fmt.Errorf("%q is no global unicast address", a)
	case int(n.Standing) >= standings:
		return fmt.Errorf("no such standing: %d", n.Standing)
	}
	return nil
}

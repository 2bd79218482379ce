// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

func TestUsable(t *testing.T) {
	const permanent = unix.IFA_F_PERMANENT
	for _, c := range []struct {
		name, addr string
		flags      uint32
		reason     string
	}{
		{"IPv4", "10.0.0.1", permanent, ""},
		{"IPv4 of carrier-grade NAT", "100.64.0.1", permanent, ""},
		{"second IPv4 of a subnet", "10.0.0.2", permanent | unix.IFA_F_SECONDARY, ""},
		{"IPv6", "2001:db8::1", permanent, ""},
		{"unique local IPv6", "fd00::1", permanent, ""},
		{"without detection", "2001:db8::1", permanent | unix.IFA_F_NODAD, ""},
		{"temporary", "2001:db8::1", unix.IFA_F_TEMPORARY, ""},
		{"deprecated", "2001:db8::1", unix.IFA_F_DEPRECATED, ""},
		{"optimistic, detection over", "2001:db8::1", unix.IFA_F_OPTIMISTIC, ""},
		{"tentative", "2001:db8::1", permanent | unix.IFA_F_TENTATIVE, reasonTentative},
		{"tentative and optimistic", "2001:db8::1", unix.IFA_F_TENTATIVE | unix.IFA_F_OPTIMISTIC, reasonTentative},
		{"duplicate", "2001:db8::1", permanent | unix.IFA_F_TENTATIVE | unix.IFA_F_DADFAILED, reasonFailed},
		{"duplicate, no more tentative", "2001:db8::1", unix.IFA_F_DADFAILED, reasonFailed},
		{"IPv4 unspecified", "0.0.0.0", permanent, reasonScope},
		{"IPv6 unspecified", "::", permanent, reasonScope},
		{"IPv4 as IPv6", "::ffff:10.0.0.1", permanent, reasonScope},
		{"IPv4 loopback", "127.9.0.1", permanent, reasonScope},
		{"IPv6 loopback", "::1", permanent, reasonScope},
		{"IPv4 link-local", "169.254.20.10", permanent, reasonScope},
		{"IPv6 link-local", "fe80::1", permanent, reasonScope},
		{"IPv6 link-local, tentative", "fe80::1", unix.IFA_F_TENTATIVE, reasonScope},
		{"IPv4 multicast", "224.0.0.1", permanent, reasonScope},
		{"IPv6 multicast", "ff0e::1", permanent, reasonScope},
	} {
		t.Run(c.name, func(t *testing.T) {
			ok, reason := usable(netip.MustParseAddr(c.addr), c.flags)
			if ok != (c.reason == "") || reason != c.reason {
				t.Errorf("usable(%s, %#x) = %v, %q, want %q", c.addr, c.flags, ok, reason, c.reason)
			}
		})
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"net/netip"
	"testing"
)

func TestReserved(t *testing.T) {
	s := Subnet{CIDR: netip.MustParsePrefix("10.0.1.0/24"), IPv6: netip.MustParsePrefix("2001:db8::/64")}
	tests := map[string]bool{
		"10.0.1.0": true, "10.0.1.3": true, "10.0.1.4": false, "10.0.1.254": false, "10.0.1.255": true, "10.0.2.0": false,
		"2001:db8::": true, "2001:db8::3": true, "2001:db8::4": false, "2001:db8::ffff:ffff:ffff:ffff": true, "2001:db8:1::": false,
	}
	for text, want := range tests {
		if got := s.Reserved(netip.MustParseAddr(text)); got != want {
			t.Errorf("Reserved(%s) = %t, want %t", text, got, want)
		}
	}
}

func TestDerived(t *testing.T) {
	if got, want := DeriveID("eni", "w1-sig"), DeriveID("eni", "w1-sig"); got != want || !idForm.MatchString(got) {
		t.Errorf("DeriveID gave %s and %s", got, want)
	}
	if DeriveID("eni", "a") == DeriveID("eni", "b") || DeriveMAC("a") == DeriveMAC("b") {
		t.Error("two names have the same id or MAC")
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"net/netip"
	"testing"
	"time"
)

// TestAHostileSiblingTakesNoMemory, although it names every address of a floating
// prefix.
func TestAHostileSiblingTakesNoMemory(t *testing.T) {
	cfg := Config{Siblings: true, Floating: Floating{Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}}}
	l := New(cfg, func() float64 { return 0 })
	a := netip.MustParseAddr("10.0.0.0")
	for range 2 * maxHeirs {
		l.Heard(time.Now(), Saying{Interface: "net1", Addr: a, Word: Asks})
		a = a.Next()
	}
	if n := len(l.heirs); n != maxHeirs {
		t.Errorf("%d are remembered, want %d", n, maxHeirs)
	}
}

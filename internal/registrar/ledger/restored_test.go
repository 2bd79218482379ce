// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"net/netip"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
)

// TestARestoredAddressIsToldGoneOnce: however often the kernel is read while it
// is being released.
func TestARestoredAddressIsToldGoneOnce(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	l := New(Config{HoldDown: DefaultHoldDown}, func() float64 { return 0 })
	l.Restore(now, []Record{{Address: netip.MustParseAddr("10.0.1.100"), ENI: "eni-a", Standing: Acknowledged, Since: now}})
	s := netwatch.Snapshot{Noticed: now, Interfaces: []netwatch.Interface{{Name: "net1", MAC: "02:00:00:00:00:0a", Kind: "ipvlan"}}}
	l.Observe(now, s)
	l.Next(now)
	l.Inventoried(now, now, eniassign.Inventory{FromIMDS: true, ENIs: []eniassign.ENI{{ID: "eni-a", MAC: "02:00:00:00:00:0a", DeviceIndex: 1}}}, nil)
	l.Observe(now, s)
	l.Observe(now, s)
	told := 0
	for _, e := range l.Events() {
		if e.Kind == Vanished {
			told++
		}
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
	for _, r := range l.Rows() {
		if r.State == Releasing && r.Code == Restored {
			t.Errorf("still explained by %q", r.Reason)
		}
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"net/netip"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// TestAnAnnotationIsNoFailover: a route table that is named hours after the last
// change in the kernel makes a call that answers no change there. Timed from that
// one it would be a failover of hours.
func TestAnAnnotationIsNoFailover(t *testing.T) {
	d := newDuel(false)
	pod := &d.twins[0]
	off := false
	pod.eni.SourceDestCheck = &off
	away := Floating{Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.1.200/32"), netip.MustParsePrefix("192.0.2.10/32")}}
	s := pod.snapshot(d.now)
	s.Interfaces[0].Prefixes = append(s.Interfaces[0].Prefixes, away.Addresses[1])
	pod.l = New(exhaustConfig(false), func() float64 { return 0 })
	pod.l.Observe(d.now, s)
	pod.l.Next(d.now)
	pod.l.Inventoried(d.now, d.now, eniassign.Inventory{ENIs: []eniassign.ENI{pod.eni}, FromIMDS: true}, nil)
	pod.l.Next(d.now)
	pod.l.Described(d.now, d.now, []string{pod.eni.ID}, []eniassign.ENI{pod.eni}, nil)
	pod.l.Events()

	d.now = d.now.Add(5 * time.Hour)
	away.RouteTables = []string{"rtb-1"}
	pod.l.SetFloating(d.now, away)
	calls := pod.l.Next(d.now).Calls
	if len(calls) != 1 || calls[0].Table != "rtb-1" {
		t.Fatalf("calls %+v", calls)
	}
	pod.l.Done(d.now, calls[0], []eniassign.Outcome{{Addr: netip.MustParseAddr("192.0.2.10")}})
	told := 0
	for _, e := range pod.l.Events() {
		if e.Kind == Asked || e.Kind == Acked {
			told++
			if !e.Noticed.IsZero() {
				t.Errorf("%s counts from %v ago", e.Kind, d.now.Sub(e.Noticed))
			}
		}
	}
	if told != 2 {
		t.Errorf("%d events of the call", told)
	}
}

// TestAMappedAddressHoldsNothingBack: an IPv6 address that is written as an IPv4
// one inside of it is in no VPC, and the others go their way.
func TestAMappedAddressHoldsNothingBack(t *testing.T) {
	d := newDuel(false)
	pod := &d.twins[0]
	pod.kernel[0] = true
	s := pod.snapshot(d.now)
	s.Interfaces[0].Prefixes = append(s.Interfaces[0].Prefixes, netip.MustParsePrefix("::ffff:10.0.1.77/128"))
	pod.l.Observe(d.now, s)
	calls := pod.l.Next(d.now).Calls
	if len(calls) != 1 || len(calls[0].Addrs) != 1 || calls[0].Addrs[0] != exhaustAddrs[0] {
		t.Errorf("calls %+v", calls)
	}
}

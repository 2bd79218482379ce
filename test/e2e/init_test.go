// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"slices"
	"testing"
)

// Mode init: pods on both workers reach one another over net1, in IPv4 and
// IPv6, only because the registrar worked, and not before it did.
func TestInitRoutesBeforeTheApplicationStarts(t *testing.T) {
	s := tell(t)
	s.apply(staticN3 + pods(
		pod{name: "first", worker: worker1, inject: "init", addresses: []string{"10.0.3.70/24", "2001:db8:0:3::70/64"}},
		// The same without the registrar.
		pod{name: "mute", worker: worker2, addresses: []string{"10.0.3.72/24", "2001:db8:0:3::72/64"}},
	))
	s.running("first", "mute")
	s.started("init", "first")
	s.started("without", "mute")

	s.say("the second pod's application sends its first packets to the first pod")
	s.apply(pods(pod{
		name: "second", worker: worker2, inject: "init", addresses: []string{"10.0.3.71/24", "2001:db8:0:3::71/64"},
		script: reportStart("10.0.3.70", "2001:db8:0:3::70"),
	}))
	s.running("second")
	s.firstPacket("second", "10.0.3.70")
	s.firstPacket("second", "2001:db8:0:3::70")
	started := s.started("init", "second")

	s.reaches("first", "10.0.3.71", true)
	s.reaches("first", "2001:db8:0:3::71", true)
	s.say("EC2 drops what the pod without the registrar is sent")
	s.reaches("first", "10.0.3.72", false)
	s.reaches("first", "2001:db8:0:3::72", false)

	for address, eni := range map[string]string{
		"10.0.3.70": "w1-n3", "2001:db8:0:3::70": "w1-n3",
		"10.0.3.71": "w2-n3", "2001:db8:0:3::71": "w2-n3",
		"10.0.3.72": "", "2001:db8:0:3::72": "",
	} {
		if got := owner(t, address); got != eni {
			t.Errorf("EC2 has %s on ENI %q, want %q", address, got, eni)
		}
	}
	s.fewCalls(worker1, "DescribeNetworkInterfaces", "AssignPrivateIpAddresses", "AssignIpv6Addresses")
	s.fewCalls(worker2, "DescribeNetworkInterfaces", "AssignPrivateIpAddresses", "AssignIpv6Addresses")
	for _, c := range callsFor(t, "10.0.3.71", "Assign*") {
		if !c.Time.Before(started) {
			t.Errorf("%s at %v, after the application started at %v", c.Action, c.Time, started)
		}
	}
}

// fewCalls fails where a worker's role called EC2 for anything but this, once
// each.
func (s *story) fewCalls(w worker, want ...string) {
	s.Helper()
	var got []string
	for _, c := range calls(s.T) {
		if c.Worker == string(w) {
			got = append(got, c.Action)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.Errorf("calls to EC2 with the role of %s: %v, want %v", w, got, want)
	}
}

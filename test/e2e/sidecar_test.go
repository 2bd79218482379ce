// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// Mode sidecar: the application starts when it is routed, an address that is
// added later is too, and what goes is released: at once, and when the pod is
// deleted before IPAM can give the address to another pod.
func TestSidecarFollowsThePod(t *testing.T) {
	s := tell(t)
	s.apply(staticN3 + pods(
		pod{name: "peer", worker: worker1, inject: "init", addresses: []string{"10.0.3.74/24", "2001:db8:0:3::74/64"}},
	))
	s.running("peer")
	s.apply(pods(pod{
		name: "followed", worker: worker2, inject: "sidecar", addresses: []string{"10.0.3.75/24", "2001:db8:0:3::75/64"},
		script: reportStart("10.0.3.74", "2001:db8:0:3::74"), capabilities: []string{"NET_ADMIN"},
	}))
	s.running("followed")
	s.firstPacket("followed", "10.0.3.74")
	s.firstPacket("followed", "2001:db8:0:3::74")
	s.started("sidecar", "followed")

	status, err := s.exec("followed", injected, "/registrar", "status")
	if err != nil || !strings.Contains(status, "Ready: every address is routed.") {
		t.Errorf("registrar status: %v\n%s", err, status)
	}

	s.say("the application adds an address")
	s.must(s.exec("followed", application, "ip", "address", "add", "10.0.3.76/24", "dev", "net1"))
	s.owned("10.0.3.76", "w2-n3")
	s.reaches("peer", "10.0.3.76", true)
	s.say("and takes it away")
	s.must(s.exec("followed", application, "ip", "address", "del", "10.0.3.76/24", "dev", "net1"))
	s.owned("10.0.3.76", "")

	s.say("the pod is deleted")
	s.gone("followed")
	for _, address := range []string{"10.0.3.75", "2001:db8:0:3::75"} {
		if got := owner(t, address); got != "" {
			t.Errorf("the pod is gone, and EC2 has %s on ENI %q", address, got)
		}
		if n := len(callsFor(t, address, "Unassign*")); n != 1 {
			t.Errorf("%d calls unassign %s, want 1", n, address)
		}
	}
	s.releasedBeforeDEL("followed", worker2, "10.0.3.75", "2001:db8:0:3::75")
}

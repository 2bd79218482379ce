// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import "testing"

// The same pair on one worker, on one ENI: the registrars of the pods agree
// that nothing has to change in EC2, and no packet waits for it (ADR 7).
func TestHandOverOnOneENI(t *testing.T) {
	s := tellAside(t)
	// Rare advertisements: a pod that takes over on a worker without CPU, while
	// the other has the addresses, is refused them, and keepalived tries once.
	p := startPair(s, "advert_int 0.25", "advert_int 3", "podAntiAffinity", "podAffinity")
	on := p.at("a")
	if p.at("b") != on {
		t.Fatalf("the pods are on %s and %s", on, p.at("b"))
	}
	client := map[worker]string{worker1: "client2", worker2: "client1"}[on]
	times := 3
	if testing.Short() {
		times = 1
	}
	for range times {
		active, standby := p.roles()
		p.failOver("handed over on one ENI", client, standby, func() { p.handOver(active, true) })
		if now, _ := p.roles(); now != standby {
			t.Fatalf("sbc-%s is active, want sbc-%s", now, standby)
		}
		p.handOver(active, false)
	}
	for _, c := range unassigned(t) {
		t.Errorf("%s of %v at %v: the ENI was to keep them", c.Action, c.Addresses, c.Time)
	}
}

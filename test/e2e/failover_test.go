// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"
)

// Two pods on two workers share floating IPs by keepalived, as in the example.
// They follow the active pod, whatever becomes of the other.
func TestFailoverBetweenWorkers(t *testing.T) {
	s := tell(t)
	// Not each 0.25 s: these workers share their CPUs with the whole machine.
	p := startPair(s, "advert_int 0.25", "advert_int 1")
	if p.at("a") == p.at("b") {
		t.Fatalf("both pods are on %s", p.at("a"))
	}
	active, standby := p.roles()
	s.say("sbc-%s is active", active)

	p.failOver("handed over", p.clientBy(standby), standby, func() { p.handOver(active, true) })
	p.handOver(active, false)
	active, standby = p.roles()
	if testing.Short() {
		return
	}

	p.failOver("keepalived killed", p.clientBy(standby), standby, func() { p.kill(active) })
	active, standby = p.roles()

	p.failOver("pod deleted, grace period 0", p.clientBy(standby), standby, func() { p.delete(active, "--grace-period=0") })
	until(t, podPatience, func() error { return p.available(standby) })
	active, standby = p.roles()
	until(t, podPatience, func() error { return p.available(standby) })

	p.failOver("pod deleted by force", p.clientBy(standby), standby, func() { p.delete(active, "--grace-period=0", "--force") })
	active, standby = p.roles()
	until(t, podPatience, func() error { return p.available(standby) })

	on := p.at(active)
	s.say("the kubelet of %s is stopped", on)
	on.stop(t, "kubelet")
	p.failOver("handed over without a kubelet", p.clientBy(standby), standby, func() { p.handOver(active, true) })
	p.handOver(active, false)
	on.start(t, "kubelet")
	s.nodeAnswers(on)
	active, standby = p.roles()

	p.powerCut(active, standby)
}

// powerCut cuts the power of the active pod's worker, and switches it on again.
func (p pair) powerCut(active, standby string) {
	p.Helper()
	on := p.at(active)
	var booted time.Time
	boot := func() {
		if booted.IsZero() {
			booted = time.Now()
			on.boot(p.T)
		}
	}
	p.Cleanup(boot)
	p.failOver("power cut", p.clientBy(standby), standby, func() { on.cut(p.T) })
	boot()
	p.rebooted(on, booted)
	until(p.T, podPatience, func() error { return p.available(active) })
	p.say("%s is back", on)
	time.Sleep(5 * time.Second) // to see that nobody takes anything back
	if now, _ := p.roles(); now != standby {
		p.Errorf("the pod that came back has taken the floating IPs")
	}
}

// clientBy is the client on an instance's worker.
func (p pair) clientBy(name string) string {
	p.Helper()
	return map[worker]string{worker1: "client1", worker2: "client2"}[p.at(name)]
}

// delete deletes an instance's pod and does not wait for its end.
func (p pair) delete(name string, how ...string) {
	p.Helper()
	found, err := p.instance(name)
	if err != nil {
		p.Fatal(fmt.Errorf("delete sbc-%s: %w", name, err))
	}
	p.kubectl(append([]string{"--namespace", p.ns, "delete", "pod", found.Name, "--wait=false"}, how...)...)
}

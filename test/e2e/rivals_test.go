// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// holdDown is the registrar's default.
const holdDown = 10 * time.Second

// Two pods have the same address, by mistake or because keepalived is split:
// the one that appears last has it, the other says that it is contested, and
// they never take it from each other faster than the hold-down allows, also
// where a registrar is killed and forgets what it was about to do.
func TestRivalsDoNotFight(t *testing.T) {
	const address = "10.0.3.122"
	s := tellAside(t)
	rival := func(name string, on worker, own string) string {
		return attached(name, on, fmt.Sprintf(`k8s.v1.cni.cncf.io/networks: '[{"name":"n3","ips":["%s/24","%s/24"]}]'`, own, address),
			"multus-ip-registrar.io/inject: sidecar", "multus-ip-registrar.io/floating-ips: "+address)
	}
	s.apply(staticN3 + rival("first", worker1, "10.0.3.120"))
	s.running("first")
	s.owned(address, "w1-n3")
	s.apply(rival("second", worker2, "10.0.3.121"))
	s.owned(address, "w2-n3")
	until(t, podPatience, func() error {
		out, err := s.exec("first", injected, "/registrar", "status")
		if err == nil && !strings.Contains(out, "Contested") {
			err = fmt.Errorf("status in pod first does not say Contested:\n%s", out)
		}
		return err
	})
	s.say("status in the first pod says Contested")
	killed := time.Now()
	s.killRegistrar("first", worker1)
	time.Sleep(4 * holdDown)
	back, _ := s.registrarTimes("first")

	var last time.Time
	var taken []string
	for i, c := range slices.DeleteFunc(callsFor(t, address, "AssignPrivateIpAddresses"), func(c call) bool {
		return c.Code != "" || c.Time.Before(s.began)
	}) {
		if c.Worker == string(worker1) && c.Time.After(killed) && c.Time.Sub(back) < holdDown {
			t.Errorf("%s took %s %v after its registrar came back", c.Worker, address, c.Time.Sub(back))
		}
		taken = append(taken, fmt.Sprintf("%s by %s", c.Time.Format("15:04:05.0"), c.Worker))
		if gap := c.Time.Sub(last); i > 1 && gap < holdDown {
			t.Errorf("%s took %s %v after the other pod did", c.Worker, address, gap)
		}
		last = c.Time
	}
	s.say("taken at %s", strings.Join(taken, ", "))
	if len(taken) < 3 {
		t.Error("nobody took it back: the pod that keeps an address would stay without it")
	}
	s.say("the second pod goes, and the first has it again")
	s.gone("second")
	s.owned(address, "w1-n3")
}

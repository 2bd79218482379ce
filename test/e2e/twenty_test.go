// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// Twenty pods at once, ten on each worker and each ENI: all of them are routed
// in both families, with no more calls than each would need alone.
func TestTwentyPodsAtOnce(t *testing.T) {
	const n = 20
	s := tell(t)
	var manifests strings.Builder
	var names, addresses []string
	manifests.WriteString(network{name: "n6", master: "ens8"}.manifest())
	for i := range n {
		name := fmt.Sprintf("p%02d", i)
		four, six := fmt.Sprintf("10.0.6.%d", 100+i), fmt.Sprintf("2001:db8:0:6::%d", 100+i)
		names, addresses = append(names, name), append(addresses, four, six)
		on := []worker{worker1, worker2}[i%2]
		manifests.WriteString(attached(name, on,
			fmt.Sprintf(`k8s.v1.cni.cncf.io/networks: '[{"name":"n6","ips":["%s/24","%s/64"]}]'`, four, six),
			"multus-ip-registrar.io/inject: sidecar"))
	}
	// Ten at once end on one emulated CPU: those that are last need their time.
	s.apply(strings.ReplaceAll(manifests.String(), "terminationGracePeriodSeconds: 30", "terminationGracePeriodSeconds: 180"))
	for _, name := range names {
		s.ready(name, 4*podPatience)
	}
	var last time.Duration
	for _, name := range names {
		last = max(last, s.started("twenty", name).Sub(s.created[name]))
	}
	s.say("%d pods of 2 addresses: the last application started %.1f s after all were applied", n, last.Seconds())

	all := calls(t)
	by, assigned := map[string]int{}, map[string]int{}
	for _, c := range all {
		by[c.Action]++
		for _, address := range c.Addresses {
			if strings.HasPrefix(c.Action, "Assign") {
				assigned[address]++
			}
		}
		if c.Code != "" {
			t.Errorf("%s of %s was refused: %s", c.Action, c.Worker, c.Code)
		}
	}
	for _, action := range slices.Sorted(maps.Keys(by)) {
		s.say("%d × %s", by[action], action)
	}
	// Ten at once share one emulated CPU, and give IMDS a second to answer: who
	// has no answer asks EC2 instead, and says so.
	blind := 0
	for _, name := range names {
		blind += strings.Count(s.logs(name, injected), "instance metadata not used")
	}
	s.say("IMDS did not answer in time %d times", blind)
	if by["DescribeNetworkInterfaces"] > n+blind || by["AssignPrivateIpAddresses"] > n || by["AssignIpv6Addresses"] > n || len(all) > 3*n+blind {
		t.Errorf("%d calls for %d pods: %v; want at most one Describe, and one Assign in each family, of each, and %d Describes for IMDS",
			len(all), n, by, blind)
	}
	for _, address := range addresses {
		if assigned[address] != 1 {
			t.Errorf("%d calls assigned %s, want 1", assigned[address], address)
		}
	}
	for _, from := range names[:2] {
		s.reachesAll(from, addresses)
	}

	began := time.Now()
	s.kubectl(append([]string{"--namespace", s.ns, "delete", "pod", "--timeout", (4 * podPatience).String()}, names...)...)
	s.say("all were gone after %.1f s", time.Since(began).Seconds())
	for _, address := range addresses {
		if got := owner(t, address); got != "" {
			t.Errorf("the pods are gone, and EC2 has %s on ENI %q", address, got)
		}
	}
}

// reachesAll fails where an address does not answer a pod.
func (s *story) reachesAll(from string, addresses []string) {
	s.Helper()
	script := "for a in " + strings.Join(addresses, " ") + "; do ping -q -c 2 -i 0.2 -W 2 $a >/dev/null || echo $a is not reached; done"
	out, err := s.exec(from, application, "sh", "-c", script)
	if err != nil || out != "" {
		s.Errorf("from %s: %v\n%s", from, err, out)
	}
}

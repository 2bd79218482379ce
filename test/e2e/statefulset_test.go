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

// statefulSet is one of a network function; each replacement is filled in.
func statefulSet(name string, replicas int, mode, networks, release, where string) string {
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: %[1]s}
spec:
  serviceName: %[1]s
  replicas: %[2]d
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata:
      labels: {app: %[1]s, story: "", release: %[5]s}
      annotations:
        k8s.v1.cni.cncf.io/networks: '%[4]s'
        multus-ip-registrar.io/inject: %[3]s
    spec:
      terminationGracePeriodSeconds: 30
      %[6]s
      containers:
      - {name: app, image: "busybox:1.37", command: [sh, -c, %[7]q]}
---
`, name, replicas, mode, networks, release, where, reportStart())
}

const spread = `topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule,
         labelSelector: {matchLabels: {app: upf}}}`

// rolledOut waits for the end of a rolling update.
func (s *story) rolledOut(what string) {
	s.Helper()
	s.kubectl("--namespace", s.ns, "rollout", "status", what, "--timeout", (2 * podPatience).String())
}

// A rolling update makes each pod anew, with addresses of whereabouts: every
// new pod is routed before it counts as running, and no ENI keeps an address of
// an old one.
func TestRollingUpdateLeavesNothingBehind(t *testing.T) {
	s := tell(t)
	before := s.onENIs("w1-n4", "w2-n4")
	s.apply(network{name: "n4", master: "ens7", ipam: `{"type": "whereabouts", "ipRanges": [
      {"range": "10.0.4.0/24", "range_start": "10.0.4.99", "range_end": "10.0.4.102"},
      {"range": "2001:db8:0:4::/64", "range_start": "2001:db8:0:4:1::10", "range_end": "2001:db8:0:4:1::1f"}]}`}.manifest() +
		statefulSet("upf", 2, "sidecar", "n4", "old", spread))
	s.rolledOut("statefulset/upf")
	old := s.replicas(2)

	s.apply(statefulSet("upf", 2, "sidecar", "n4", "new", spread))
	s.rolledOut("statefulset/upf")
	renewed := s.replicas(2)
	s.say("before %v, after %v", old, renewed)
	s.reaches("upf-0", renewed[1][0], true)
	s.reaches("upf-1", renewed[0][0], true)
	s.reaches("upf-0", renewed[1][1], true)

	want := slices.Concat(before, renewed[0], renewed[1])
	slices.Sort(want)
	if got := s.onENIs("w1-n4", "w2-n4"); !slices.Equal(got, want) {
		t.Errorf("EC2 has %v on the ENIs, want %v", got, want)
	}
	// Two starts of each pod, and one end: two families each.
	if got := len(calls(t, "Assign*")); got != 8 {
		t.Errorf("%d calls assign, want 8", got)
	}
	if got := len(calls(t, "Unassign*")); got != 4 {
		t.Errorf("%d calls unassign, want 4", got)
	}
}

// replicas are the addresses of upf-0, upf-1 and so on; each is where EC2 has it.
func (s *story) replicas(n int) (all [][]string) {
	s.Helper()
	for i := range n {
		name := fmt.Sprintf("upf-%d", i)
		p := s.ready(name, podPatience)
		of := s.addresses(name, "net1")
		for _, address := range of {
			if got, want := owner(s.T, address), "w"+p.Spec.NodeName[len("worker"):]+"-n4"; got != want {
				s.Errorf("EC2 has %s of %s on ENI %q, want %s", address, name, got, want)
			}
		}
		all = append(all, of)
	}
	return all
}

// onENIs are all secondary addresses of ENIs, sorted.
func (s *story) onENIs(names ...string) []string {
	s.Helper()
	var all []string
	for _, e := range enis(s.T) {
		if slices.Contains(names, e.Name) {
			all = append(append(all, e.Secondary...), e.IPv6...)
		}
	}
	slices.Sort(all)
	return all
}

// A pod with addresses of its own moves to the other worker: they follow it,
// and the old ENI has none of them, also where nobody released them.
func TestRescheduledPodKeepsItsAddresses(t *testing.T) {
	s := tellAside(t)
	s.apply(network{name: "n4", master: "ens7"}.manifest() +
		attached("client", worker1, `k8s.v1.cni.cncf.io/networks: '[{"name":"n4","ips":["10.0.4.103/24","2001:db8:0:4::103/64"]}]'`, "multus-ip-registrar.io/inject: sidecar"))
	s.running("client")
	for i, mode := range []string{"init", "sidecar"} {
		four, six := fmt.Sprintf("10.0.4.%d", 104+i), fmt.Sprintf("2001:db8:0:4::%d", 104+i)
		networks := fmt.Sprintf(`[{"name":"n4","ips":["%s/24","%s/64"]}]`, four, six)
		on := func(w worker) string {
			return statefulSet(mode, 1, mode, networks, string(w), "nodeSelector: {kubernetes.io/hostname: "+string(w)+"}")
		}
		for _, at := range []struct {
			worker
			eni string
		}{{worker1, "w1-n4"}, {worker2, "w2-n4"}, {worker1, "w1-n4"}} {
			s.apply(on(at.worker))
			s.rolledOut("statefulset/" + mode)
			s.ready(mode+"-0", podPatience)
			for _, address := range []string{four, six} {
				if got := owner(t, address); got != at.eni {
					t.Errorf("mode %s on %s: EC2 has %s on ENI %q", mode, at.worker, address, got)
				}
				s.answersSoon("client", address)
			}
		}
		s.say("mode %s: there and back", mode)
	}
}

// neighbourPatience is how long a neighbour may take to find out that an address
// has moved from its own ENI to another, where no router is between them and
// nobody has told it. Linux's defaults: what was reachable counts as such for
// up to 45 s, then for 5 s until it is probed, three times, one each second.
const neighbourPatience = (45 + 5 + 3 + 7) * time.Second

// answersSoon fails where an address that has moved does not answer a pod.
func (s *story) answersSoon(from, address string) {
	s.Helper()
	began := time.Now()
	neighbour := func() string {
		out, err := s.exec(from, application, "ip", "neigh", "show", address)
		if err != nil {
			return err.Error()
		}
		return strings.TrimSpace(out)
	}
	until(s.T, neighbourPatience, func() error {
		if got := s.ping(from, address, 1, time.Second); got.received == 0 {
			return fmt.Errorf("ping %s from %s: %v; its neighbour is %s", address, from, got, neighbour())
		}
		return nil
	})
	if took := time.Since(began); took > 3*time.Second {
		s.say("%s answered %s after %.1f s (%s)", address, from, took.Seconds(), neighbour())
	}
}

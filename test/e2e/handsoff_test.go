// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"
)

// What is not ours is left alone, and the user is told: a network on the
// worker's primary ENI, and a pod in its worker's own network.
func TestHandsOffThePrimaryENI(t *testing.T) {
	s := tellAside(t)
	s.apply(network{name: "node", master: "ens5"}.manifest() + staticN3 +
		attached("misled", worker1, `k8s.v1.cni.cncf.io/networks: '[{"name":"node","ips":["10.0.0.200/24"]}]'`, "multus-ip-registrar.io/inject: sidecar"))
	s.described("misled", "which is the worker's primary ENI (device index 0)")
	p, err := s.pod("misled")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range p.Status.ContainerStatuses {
		if c.State.Waiting == nil {
			t.Errorf("container %s does not wait: %+v", c.Name, c.State)
		}
	}
	// Other stories are told beside this one, and none of them has that ENI.
	all := enis(t)
	primary := slices.IndexFunc(all, func(e eni) bool { return e.Name == "w1-node" })
	if primary < 0 {
		t.Fatal("EC2 has no ENI w1-node")
	}
	for _, c := range calls(t, "Assign*", "Unassign*") {
		if c.ENI == all[primary].ID || slices.Contains(c.Addresses, "10.0.0.200") {
			t.Errorf("EC2 was asked: %s %s %v", c.Action, c.ENI, c.Addresses)
		}
	}

	host := strings.Replace(attached("host", worker1, "k8s.v1.cni.cncf.io/networks: n3", "multus-ip-registrar.io/inject: sidecar"),
		"nodeName:", "hostNetwork: true\n  nodeName:", 1)
	out, err := kubectl(host, "--namespace", s.ns, "apply", "-f", "-")
	if err == nil || !strings.Contains(err.Error(), "hostNetwork") {
		t.Errorf("a pod with hostNetwork: %v\n%s", err, out)
	} else {
		s.say("a user sees: %s", lastLine(err.Error()))
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"slices"
	"testing"
)

// Whoever gives a pod its addresses, whereabouts or host-local, in one family
// or both, the registrar finds them in the kernel; and the pod says nothing of
// it where its network or its namespace does.
func TestIPAMChoosesTheAddresses(t *testing.T) {
	s := tell(t, "multus-ip-registrar.io/inject=sidecar")
	s.apply(network{name: "cluster-wide", ipam: `{
      "type": "whereabouts", "range": "10.0.3.0/24", "range_start": "10.0.3.96", "range_end": "10.0.3.103"}`}.manifest() +
		network{name: "both-families", ipam: `{"type": "whereabouts", "ipRanges": [
      {"range": "10.0.3.0/24", "range_start": "10.0.3.104", "range_end": "10.0.3.111"},
      {"range": "2001:db8:0:3::/64", "range_start": "2001:db8:0:3:1::10", "range_end": "2001:db8:0:3:1::1f"}]}`}.manifest() +
		network{name: "of-one-worker", inject: "init", ipam: `{"type": "host-local", "ranges": [
      [{"subnet": "10.0.3.0/24", "rangeStart": "10.0.3.112", "rangeEnd": "10.0.3.119"}]]}`}.manifest() +
		attached("wide1", worker1, "k8s.v1.cni.cncf.io/networks: cluster-wide") +
		attached("wide2", worker2, "k8s.v1.cni.cncf.io/networks: cluster-wide") +
		attached("both", worker1, "k8s.v1.cni.cncf.io/networks: both-families") +
		attached("local", worker2, "k8s.v1.cni.cncf.io/networks: of-one-worker") +
		attached("left-out", worker2, "k8s.v1.cni.cncf.io/networks: cluster-wide", `multus-ip-registrar.io/inject: "false"`))
	names := []string{"wide1", "wide2", "both", "local", "left-out"}
	s.running(names...)

	of := map[string][]string{}
	for _, name := range names {
		of[name] = s.addresses(name, "net1")
		s.say("%s has %v", name, of[name])
		s.hasRegistrar(name, name != "left-out")
	}
	if n := len(of["both"]); n != 2 {
		t.Errorf("pod both has %d addresses, want one in each family", n)
	}
	for name, eni := range map[string]string{"wide1": "w1-n3", "wide2": "w2-n3", "both": "w1-n3", "local": "w2-n3", "left-out": ""} {
		for _, address := range of[name] {
			if got := owner(t, address); got != eni {
				t.Errorf("EC2 has %s of %s on ENI %q, want %q", address, name, got, eni)
			}
		}
	}
	s.reaches("wide1", of["wide2"][0], true)
	s.reaches("wide1", of["local"][0], true)
	s.reaches("wide2", of["both"][0], true)
	s.reaches("wide1", of["left-out"][0], false)

	s.say("the network's word beats the namespace's, so pod local has mode init")
	p, err := s.pod("local")
	if err != nil {
		t.Fatal(err)
	}
	if policy := p.Spec.InitContainers[0].RestartPolicy; policy != nil {
		t.Errorf("the registrar of pod local has restartPolicy %v, want none", *policy)
	}

	s.say("whereabouts gives an address of a pod that is gone to another, on the other worker")
	s.gone("wide1", "wide2")
	for _, address := range slices.Concat(of["wide1"], of["wide2"]) {
		if got := owner(t, address); got != "" {
			t.Errorf("the pods are gone, and EC2 has %s on ENI %q", address, got)
		}
	}
	lowest, elsewhere, eni := of["wide1"][0], worker2, "w2-n3"
	if of["wide2"][0] < lowest {
		lowest, elsewhere, eni = of["wide2"][0], worker1, "w1-n3"
	}
	s.apply(attached("again", elsewhere, "k8s.v1.cni.cncf.io/networks: cluster-wide"))
	s.running("again")
	again := s.addresses("again", "net1")[0]
	if again != lowest {
		t.Errorf("whereabouts gave %s, not the lowest that is free, %s", again, lowest)
	}
	if got := owner(t, again); got != eni {
		t.Errorf("EC2 has %s on ENI %q, want %s", again, got, eni)
	}
	s.reaches("both", again, true)
}

// A pod with two networks lets the registrar look after one of them: the other
// is left alone, and does not hold the pod back.
func TestInterfacesNamedByThePod(t *testing.T) {
	s := tell(t)
	s.apply(network{name: "n3", master: "ens6"}.manifest() + network{name: "n4", master: "ens7"}.manifest() +
		attached("choosy", worker1, `k8s.v1.cni.cncf.io/networks: '[{"name":"n3","interface":"sig0","ips":["10.0.3.84/24"]},{"name":"n4","interface":"own0","ips":["10.0.4.97/24"]}]'`,
			"multus-ip-registrar.io/inject: sidecar", "multus-ip-registrar.io/interfaces: sig0") +
		attached("both", worker2, `k8s.v1.cni.cncf.io/networks: '[{"name":"n3","interface":"sig0","ips":["10.0.3.85/24"]},{"name":"n4","interface":"own0","ips":["10.0.4.98/24"]}]'`,
			"multus-ip-registrar.io/inject: init"))
	s.running("choosy", "both")
	for address, eni := range map[string]string{"10.0.3.84": "w1-n3", "10.0.4.97": "", "10.0.3.85": "w2-n3", "10.0.4.98": "w2-n4"} {
		if got := owner(t, address); got != eni {
			t.Errorf("EC2 has %s on ENI %q, want %q", address, got, eni)
		}
	}
	s.reaches("both", "10.0.3.84", true)
	s.reaches("both", "10.0.4.97", false)
}

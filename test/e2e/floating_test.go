// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The pair of examples/multus/keepalived, and what it shares.
const (
	keepalivedExample = "../../examples/multus/keepalived/active-standby.yaml"
	keepalivedName    = "keepalived" // the container, and the image in package up
)

// floatingIPs are the example's.
var floatingIPs = []string{"10.0.3.80", "2001:db8:0:3:1::80"}

// A pair is an active pod and its standby, with keepalived.
type pair struct{ *story }

// startPair applies the example as a user would who has changed what it says
// has to be changed, and more: pairs of old and new text. It returns when one
// of the pods is active. There is a client on each worker, in another subnet:
// what it sends comes through the VPC.
func startPair(s *story, changes ...string) pair {
	s.Helper()
	text, err := os.ReadFile(keepalivedExample)
	if err != nil {
		s.Fatal(err)
	}
	manifest := string(text)
	for old, changed := range map[string]string{
		"namespace: multus-example":                       "namespace: " + s.ns,
		"      labels: {app: sbc":                         "      labels: {story: \"\", app: sbc",
		"image: sbc:1.0 # put your image here":            fmt.Sprintf("image: busybox:1.37\n        command: [sh, -c, %q]", stayUntilTold),
		"image: keepalived:2.3 # put your image here: ke": "image: keepalived:test # ke",
	} {
		changes = append(changes, old, changed)
	}
	for c := range slices.Chunk(changes, 2) {
		if !strings.Contains(manifest, c[0]) {
			s.Fatalf("%s has no %q", keepalivedExample, c[0])
		}
		manifest = strings.ReplaceAll(manifest, c[0], c[1])
	}
	s.kubectl("--namespace", s.ns, "create", "serviceaccount", "cnf")
	s.apply(floatingNetworks + floatingClient("client1", worker1) + floatingClient("client2", worker2))
	s.apply(manifest)
	s.running("client1", "client2")
	p := pair{s}
	for _, instance := range []string{"a", "b"} {
		until(s.T, podPatience, func() error { return p.available(instance) })
	}
	until(s.T, podPatience, func() error { _, err := p.active(); return err })
	return p
}

// floatingNetworks are the example's network, with a route back to the
// clients for IPv6, as keepalived makes one for IPv4 only, and the clients'.
const floatingNetworks = `
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata: {name: signalling-static}
spec:
  config: |
    {
      "cniVersion": "1.0.0",
      "name": "signalling-static",
      "plugins": [
        {
          "type": "ipvlan", "mode": "l2", "master": "ens6", "capabilities": {"ips": true},
          "ipam": {"type": "static", "routes": [{"dst": "2001:db8:0:4::/64", "gw": "fe80:ec2::1"}]}
        }
      ]
    }
---
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata: {name: clients}
spec:
  config: |
    {
      "cniVersion": "1.0.0",
      "name": "clients",
      "plugins": [
        {
          "type": "ipvlan", "mode": "l2", "master": "ens7", "capabilities": {"ips": true},
          "ipam": {"type": "static", "routes": [{"dst": "10.0.3.0/24", "gw": "10.0.4.1"}, {"dst": "2001:db8:0:3::/64", "gw": "fe80:ec2::1"}]}
        }
      ]
    }
---
`

func floatingClient(name string, on worker) string {
	number := strings.TrimPrefix(name, "client")
	p := pod{name: name, worker: on, inject: "init", addresses: []string{"10.0.4.10" + number + "/24", "2001:db8:0:4::10" + number + "/64"}}
	return strings.Replace(p.manifest(), `"name":"n3"`, `"name":"clients"`, 1)
}

// instance is the pod of "a" or "b" that is not being deleted.
func (p pair) instance(name string) (corev1.Pod, error) {
	list, err := the.kube.CoreV1().Pods(p.ns).List(p.Context(), metav1.ListOptions{LabelSelector: "app=sbc,instance=" + name})
	if err != nil {
		return corev1.Pod{}, err
	}
	for _, found := range list.Items {
		if found.DeletionTimestamp == nil {
			return found, nil
		}
	}
	return corev1.Pod{}, fmt.Errorf("there is no pod of sbc-%s", name)
}

// available says why an instance's containers do not all run.
func (p pair) available(name string) error {
	found, err := p.instance(name)
	if err != nil {
		return err
	}
	for _, c := range append(found.Status.InitContainerStatuses, found.Status.ContainerStatuses...) {
		if c.State.Running == nil {
			return fmt.Errorf("container %s of pod %s does not run: %+v", c.Name, found.Name, c.State)
		}
	}
	if found.Status.Phase != corev1.PodRunning {
		return fmt.Errorf("pod %s is %s", found.Name, found.Status.Phase)
	}
	return nil
}

// has says whether an instance's kernel has both floating IPs, or none.
func (p pair) has(name string) (bool, error) {
	found, err := p.instance(name)
	if err != nil {
		return false, err
	}
	out, err := p.exec(found.Name, keepalivedName, "ip", "address", "show", "dev", "net1")
	if err != nil {
		return false, err
	}
	n := 0
	for _, address := range floatingIPs {
		if strings.Contains(out, " "+address+"/") {
			n++
		}
	}
	if n == 1 {
		return false, fmt.Errorf("pod %s has one of the floating IPs only:\n%s", found.Name, out)
	}
	return n == len(floatingIPs), nil
}

// active is the one instance that has the floating IPs, in its kernel and in
// EC2; the other has none.
func (p pair) active() (string, error) {
	a, errA := p.has("a")
	b, errB := p.has("b")
	if errA != nil || errB != nil || a == b {
		return "", fmt.Errorf("sbc-a has the floating IPs: %v %v, sbc-b: %v %v", a, errA, b, errB)
	}
	name := "a"
	if b {
		name = "b"
	}
	return name, p.routed(name)
}

// routed says why EC2 does not have the floating IPs on an instance's ENI.
func (p pair) routed(name string) error {
	on, err := p.worker(name)
	if err != nil {
		return err
	}
	for _, address := range floatingIPs {
		if got, want := owner(p.T, address), eniOfN3(on); got != want {
			return fmt.Errorf("EC2 has %s on ENI %q, want %q", address, got, want)
		}
	}
	return nil
}

func (p pair) worker(name string) (worker, error) {
	found, err := p.instance(name)
	return worker(found.Spec.NodeName), err
}

func eniOfN3(w worker) string { return map[worker]string{worker1: "w1-n3", worker2: "w2-n3"}[w] }

// roles are the active instance and the other.
func (p pair) roles() (active, standby string) {
	p.Helper()
	until(p.T, podPatience, func() (err error) { active, err = p.active(); return err })
	return active, map[string]string{"a": "b", "b": "a"}[active]
}

// at is an instance's worker.
func (p pair) at(name string) worker {
	p.Helper()
	w, err := p.worker(name)
	if err != nil {
		p.Fatal(err)
	}
	return w
}

// failOver does something to the active pod while a client sends numbered
// packets to the floating IPs, waits until another instance is active and the
// packets are answered, and notes what the client saw.
func (p pair) failOver(what, client, to string, event func()) {
	p.Helper()
	var streams []*stream
	for _, address := range floatingIPs {
		streams = append(streams, p.sends(client, address))
	}
	event()
	until(p.T, podPatience, func() error { return p.took(to) })
	for i, address := range floatingIPs {
		seen := streams[i].end()
		p.say("%s: %s, client saw %v", what, address, seen)
		note(gaps, what+", "+family(address), seen.gap)
	}
}

// took says why an instance does not have the floating IPs, in its kernel and
// in EC2.
func (p pair) took(name string) error {
	has, err := p.has(name)
	if err == nil && !has {
		err = fmt.Errorf("sbc-%s has no floating IP", name)
	}
	if err != nil {
		return err
	}
	return p.routed(name)
}

func family(address string) string {
	if netip.MustParseAddr(address).Is4() {
		return "IPv4"
	}
	return "IPv6"
}

// gaps are what clients saw, by what happened.
var gaps = map[string][]time.Duration{}

// printGaps prints what all stories found.
func printGaps() {
	for _, what := range slices.Sorted(maps.Keys(gaps)) {
		all := slices.Sorted(slices.Values(gaps[what]))
		fmt.Printf("longest time without an answer, %s: least %v, median %v, most %v of %d\n",
			what, all[0], all[len(all)/2], all[len(all)-1], len(all))
	}
}

// handOver asks keepalived of an instance to let go, or to be standby again,
// from the worker: the kubelet need not run.
func (p pair) handOver(name string, letGo bool) {
	p.Helper()
	found, err := p.instance(name)
	if err != nil {
		p.Fatal(err)
	}
	word := map[bool]string{true: "1", false: "0"}[letGo]
	worker(found.Spec.NodeName).run(p.T, "sh", "-c", fmt.Sprintf(
		"echo %s >/var/lib/kubelet/pods/%s/volumes/kubernetes.io~empty-dir/hand-over/signalling", word, found.UID))
}

// kill ends keepalived's container by SIGKILL, so that nobody cleans up.
func (p pair) kill(name string) {
	p.Helper()
	found, err := p.instance(name)
	if err != nil {
		p.Fatal(err)
	}
	for _, c := range found.Status.ContainerStatuses {
		if c.Name == keepalivedName {
			_, id, _ := strings.Cut(c.ContainerID, "://")
			worker(found.Spec.NodeName).run(p.T, "ctr", "--address", "/run/containerd/containerd.sock", "--namespace", "k8s.io",
				"tasks", "kill", "--signal", "SIGKILL", id)
			return
		}
	}
	p.Fatalf("pod %s has no container %s", found.Name, keepalivedName)
}

// unassigned are the calls that took a floating IP off an ENI.
func unassigned(t *testing.T) []call {
	return slices.DeleteFunc(calls(t, "Unassign*"), func(c call) bool {
		return !slices.ContainsFunc(c.Addresses, func(a string) bool { return slices.Contains(floatingIPs, a) })
	})
}

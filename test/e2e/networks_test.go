// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// A network is a NetworkAttachmentDefinition of ipvlan.
type network struct {
	name string
	// master is an interface of the worker, ens6 by default.
	master string
	// ipam is the plugin's configuration, as JSON; static by default.
	ipam string
	// inject is its annotation, "" for none.
	inject string
}

func (n network) manifest() string {
	annotations := "{}"
	if n.inject != "" {
		annotations = "{multus-ip-registrar.io/inject: " + n.inject + "}"
	}
	return fmt.Sprintf(`
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata: {name: %s, annotations: %s}
spec:
  config: |
    {
      "cniVersion": "1.0.0",
      "name": "%s",
      "plugins": [
        {"type": "ipvlan", "mode": "l2", "master": "%s", "capabilities": {"ips": true}, "ipam": %s}
      ]
    }
---
`, n.name, annotations, n.name, cmp.Or(n.master, "ens6"), cmp.Or(n.ipam, `{"type": "static"}`))
}

// attached is a pod of one container with annotations of its own, for stories
// in which the networks differ.
func attached(name string, on worker, annotations ...string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata:
  name: %s
  labels: {story: ""}
  annotations:
    %s
spec:
  nodeName: %s
  terminationGracePeriodSeconds: 30
  containers:
  - {name: %s, image: "busybox:1.37", command: [sh, -c, %q]}
---
`, name, strings.Join(annotations, "\n    "), on, application, reportStart())
}

// hasRegistrar fails where a pod has the registrar and should not, or lacks it.
func (s *story) hasRegistrar(name string, want bool) {
	s.Helper()
	p, err := s.pod(name)
	if err != nil {
		s.Fatal(err)
	}
	got := false
	for _, c := range p.Spec.InitContainers {
		got = got || c.Name == injected
	}
	if got != want {
		s.Errorf("pod %s has the registrar: %v, want %v", name, got, want)
	}
}

// addresses are those of an interface of a running pod, but link-local ones.
func (s *story) addresses(pod, device string) []string {
	s.Helper()
	out, err := s.exec(pod, application, "ip", "-o", "address", "show", "dev", device, "scope", "global")
	if err != nil {
		s.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		p, err := netip.ParsePrefix(fields[3])
		if err != nil {
			s.Fatalf("read the addresses of %s: %v\n%s", pod, err, out)
		}
		all = append(all, p.Addr().String())
	}
	if len(all) == 0 {
		s.Fatalf("%s has no address on %s:\n%s", pod, device, out)
	}
	return all
}

// ready waits until a pod is Ready, which includes its sidecars.
func (s *story) ready(name string, patience time.Duration) *corev1.Pod {
	s.Helper()
	var p *corev1.Pod
	until(s.T, patience, func() (err error) {
		if p, err = s.pod(name); err != nil {
			return err
		}
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				return nil
			}
		}
		return fmt.Errorf("pod %s is not Ready, but %s", name, p.Status.Phase)
	})
	return p
}

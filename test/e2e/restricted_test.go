// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"
)

// restrictedPod asks for nothing that the restricted Pod Security Standard
// refuses, and for no token of the Kubernetes API.
const restrictedPod = `
apiVersion: v1
kind: Pod
metadata:
  name: NAME
  labels: {story: ""}
  annotations:
    k8s.v1.cni.cncf.io/networks: '[{"name":"n3","ips":["ADDRESS"]}]'
    multus-ip-registrar.io/inject: MODE
spec:
  nodeName: worker1
  terminationGracePeriodSeconds: 30
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: app
    image: busybox:1.37
    command: [sh, -c, "trap 'exit 0' TERM; sleep 100000 & wait"]
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
---
`

// In a namespace that enforces the restricted Pod Security Standard the
// registrar works as elsewhere, in pods that have no token for the Kubernetes
// API.
func TestRestrictedPodWithoutAToken(t *testing.T) {
	s := tell(t, "pod-security.kubernetes.io/enforce=restricted")
	with := func(name, mode, address string) string {
		return strings.NewReplacer("NAME", name, "MODE", mode, "ADDRESS", address).Replace(restrictedPod)
	}
	s.apply(staticN3 + with("followed", "sidecar", "10.0.3.86/24") + with("once", "init", "10.0.3.87/24"))
	s.running("followed", "once")
	for address, name := range map[string]string{"10.0.3.86": "followed", "10.0.3.87": "once"} {
		if got := owner(t, address); got != "w1-n3" {
			t.Errorf("EC2 has %s on ENI %q, want w1-n3", address, got)
		}
		p, err := s.pod(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
			for _, m := range c.VolumeMounts {
				if strings.HasPrefix(m.MountPath, "/var/run/secrets") {
					t.Errorf("container %s of %s has a token at %s", c.Name, name, m.MountPath)
				}
			}
		}
	}

	s.say("and Pod Security is awake: it refuses a pod that asks for more")
	privileged := strings.Replace(with("greedy", "sidecar", "10.0.3.88/24"), "drop: [ALL]", "drop: [ALL], add: [NET_ADMIN]", 1)
	out, err := kubectl(privileged, "--namespace", s.ns, "apply", "-f", "-")
	if err == nil || !strings.Contains(err.Error(), "violates PodSecurity") {
		t.Errorf("a pod with NET_ADMIN: %v\n%s", err, out)
	} else if strings.Contains(err.Error(), `"`+injected+`"`) {
		t.Errorf("Pod Security complains of the registrar too: %v", err)
	}
	s.gone("followed")
	if got := owner(t, "10.0.3.86"); got != "" {
		t.Errorf("the pod is gone, and EC2 has its address on ENI %q", got)
	}
}

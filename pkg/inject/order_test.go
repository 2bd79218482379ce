// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"encoding/json"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

const orderPod = `{"metadata":{"name":"upf-0","annotations":{"multus-ip-registrar.io/inject":"sidecar","k8s.v1.cni.cncf.io/networks":"n3"}},
 "spec":{"initContainers":[{"name":"migrate","image":"m"}],"containers":[{"name":"upf","image":"u"}]}}`

// A webhook takes a pod and gives it back, changed or not.
type webhook func(t *testing.T, raw []byte) []byte

// register is this webhook.
func register(t *testing.T, raw []byte) []byte {
	w := &world{}
	f := mustRead(t, w, raw)
	d := Decide(f)
	if d.Outcome == OutcomeRefused {
		t.Fatal(d.Message)
	}
	ops, err := Patch(f.Pod, d, defaults())
	if err != nil {
		t.Fatal(err)
	}
	if len(ops) == 0 {
		return raw
	}
	return apply(t, raw, ops)
}

// podIdentity does what amazon-eks-pod-identity-webhook does: variables and a
// mount for each container that lacks them, and the volume.
func podIdentity(t *testing.T, raw []byte) []byte {
	return typed(t, raw, func(p *corev1.Pod) {
		give := func(list []corev1.Container) {
			for i := range list {
				c := &list[i]
				if len(c.Env) == 0 || c.Env[len(c.Env)-1].Name != "AWS_WEB_IDENTITY_TOKEN_FILE" {
					c.Env = append(c.Env, corev1.EnvVar{Name: "AWS_ROLE_ARN", Value: "arn"}, corev1.EnvVar{Name: "AWS_WEB_IDENTITY_TOKEN_FILE", Value: "/token"})
					c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "aws-iam-token", MountPath: "/token", ReadOnly: true})
				}
			}
		}
		give(p.Spec.InitContainers)
		give(p.Spec.Containers)
		for _, v := range p.Spec.Volumes {
			if v.Name == "aws-iam-token" {
				return
			}
		}
		p.Spec.Volumes = append([]corev1.Volume{{Name: "aws-iam-token"}}, p.Spec.Volumes...)
	})
}

// oldPodIdentity is one that was built before native sidecars: it encodes the pod
// anew and so loses restartPolicy. Source: kubernetes/kops issue 16802.
func oldPodIdentity(t *testing.T, raw []byte) []byte {
	return typed(t, podIdentity(t, raw), func(p *corev1.Pod) {
		for i := range p.Spec.InitContainers {
			p.Spec.InitContainers[i].RestartPolicy = nil
		}
	})
}

// istio puts its init container and its native proxy before all others.
func istio(t *testing.T, raw []byte) []byte {
	return typed(t, raw, func(p *corev1.Pod) {
		always := corev1.ContainerRestartPolicyAlways
		p.Spec.InitContainers = append([]corev1.Container{{Name: "istio-init"}, {Name: "istio-proxy", RestartPolicy: &always}}, p.Spec.InitContainers...)
	})
}

// linkerd appends to the init containers.
func linkerd(t *testing.T, raw []byte) []byte {
	return typed(t, raw, func(p *corev1.Pod) {
		always := corev1.ContainerRestartPolicyAlways
		p.Spec.InitContainers = append(p.Spec.InitContainers, corev1.Container{Name: "linkerd-init"}, corev1.Container{Name: "linkerd-proxy", RestartPolicy: &always})
	})
}

func typed(t *testing.T, raw []byte, change func(*corev1.Pod)) []byte {
	t.Helper()
	var p corev1.Pod
	if err := json.Unmarshal(raw, &p); err != nil {
		t.Fatal(err)
	}
	change(&p)
	out, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestOrderAmongWebhooks: whatever the order, our container is there once, is a
// native sidecar, and where the identity's webhook is called after us, or again,
// has its credentials. API servers call webhooks by the names of their
// configurations: istio…, linkerd…, multus-ip-registrar, pod-identity-webhook.
func TestOrderAmongWebhooks(t *testing.T) {
	for _, tt := range []struct {
		name   string
		calls  []webhook
		order  string
		hasAWS bool
	}{
		{"ours before the identity's", []webhook{register, podIdentity}, "[multus-ip-registrar migrate]", true},
		{"ours again after it", []webhook{register, podIdentity, register}, "[multus-ip-registrar migrate]", true},
		{"the identity's first, and again", []webhook{podIdentity, register, podIdentity, register}, "[multus-ip-registrar migrate]", true},
		{"the identity's first, never again", []webhook{podIdentity, register}, "[multus-ip-registrar migrate]", false},
		{"an old one, ours again", []webhook{register, oldPodIdentity, register}, "[multus-ip-registrar migrate]", true},
		{"Istio, ours, the identity's", []webhook{istio, register, podIdentity, register}, "[istio-init istio-proxy multus-ip-registrar migrate]", true},
		{"ours before Istio", []webhook{register, istio, podIdentity, register}, "[istio-init istio-proxy multus-ip-registrar migrate]", true},
		{"Linkerd, ours", []webhook{linkerd, register, podIdentity}, "[migrate linkerd-init linkerd-proxy multus-ip-registrar]", true},
		{"ours before Linkerd", []webhook{register, linkerd, register, podIdentity}, "[multus-ip-registrar migrate linkerd-init linkerd-proxy]", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			raw := []byte(orderPod)
			for _, call := range tt.calls {
				raw = call(t, raw)
			}
			var p corev1.Pod
			if err := json.Unmarshal(raw, &p); err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, c := range p.Spec.InitContainers {
				names = append(names, c.Name)
				if c.Name != ContainerName {
					continue
				}
				if c.RestartPolicy == nil || *c.RestartPolicy != corev1.ContainerRestartPolicyAlways {
					t.Error("it is no native sidecar")
				}
				if has := c.Env[len(c.Env)-1].Name == "AWS_WEB_IDENTITY_TOKEN_FILE"; has != tt.hasAWS {
					t.Errorf("it has credentials: %v", has)
				}
			}
			if got := fmt.Sprint(names); got != tt.order {
				t.Errorf("the order is %s, want %s", got, tt.order)
			}
		})
	}
}

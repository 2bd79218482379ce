// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"encoding/json"
	"fmt"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/inject"
)

// expected is how each workload of the examples is injected. A workload that is
// not here is a fault, and so is one that is only here.
var expected = map[string]struct {
	mode inject.Mode
	by   string
	of   int // interfaces
}{
	"init-deployment.yaml web":             {inject.ModeInit, "pod", 1},
	"pods.yaml host-local":                 {inject.ModeInit, "pod", 1},
	"pods.yaml dual-stack":                 {inject.ModeSidecar, "pod", 1},
	"keepalived/active-standby.yaml sbc-a": {inject.ModeSidecar, "pod", 1},
	"keepalived/active-standby.yaml sbc-b": {inject.ModeSidecar, "pod", 1},
	"cnf-statefulset.yaml upf":             {inject.ModeSidecar, "network multus-example/n3", 3},
}

// pods are the pods that the workloads of the examples make.
func pods(t *testing.T) map[string]*corev1.Pod {
	t.Helper()
	out := map[string]*corev1.Pod{}
	for _, m := range manifests(t) {
		if m.kind == "NetworkAttachmentDefinition" || m.kind == "ClusterConfig" {
			continue
		}
		var pod *corev1.Pod
		switch o := object(t, m).(type) {
		case *corev1.Pod:
			pod = o
		case *appsv1.Deployment:
			pod = made(o.ObjectMeta, o.Spec.Template)
		case *appsv1.StatefulSet:
			pod = made(o.ObjectMeta, o.Spec.Template)
		default:
			continue
		}
		out[m.file+" "+pod.Name] = pod
	}
	return out
}

func made(owner metav1.ObjectMeta, template corev1.PodTemplateSpec) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
	pod.Name, pod.Namespace = owner.Name, owner.Namespace
	return pod
}

// facts are what admission knows of a pod in a cluster with the examples.
func facts(t *testing.T, pod *corev1.Pod, native bool) ([]byte, inject.Facts) {
	t.Helper()
	raw, err := json.Marshal(pod)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := inject.ParsePod(raw)
	if err != nil {
		t.Fatal(err)
	}
	f := inject.Facts{Pod: parsed, Namespace: pod.Namespace, NativeSidecars: native}
	f.Selections, f.NetworksError = inject.ParseNetworks(pod.Annotations[inject.NetworksKey], pod.Namespace)
	nads := networks(t)
	for _, s := range f.Selections {
		var n inject.Network
		if nad := nads[s.String()]; nad != nil {
			n = inject.ReadNetwork(nad)
		}
		f.Networks = append(f.Networks, n)
	}
	return raw, f
}

// TestEveryWorkloadIsInjected: as expected, without a warning, in clusters with
// and without native sidecars.
func TestEveryWorkloadIsInjected(t *testing.T) {
	got := pods(t)
	for name := range expected {
		if got[name] == nil {
			t.Errorf("%s is not there", name)
		}
	}
	for name, pod := range got {
		want, ok := expected[name]
		if !ok {
			t.Errorf("%s is not expected", name)
			continue
		}
		for _, native := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s native %v", name, native), func(t *testing.T) {
				raw, f := facts(t, pod, native)
				d := inject.Decide(f)
				if d.Outcome != inject.OutcomeInjected || d.Mode != want.mode || d.Source != want.by || len(d.Selections) != want.of || len(d.Warnings) > 0 {
					t.Fatalf("%s %s by %q, %d networks: %s %v", d.Outcome, d.Mode, d.Source, len(d.Selections), d.Message, d.Warnings)
				}
				checkInjected(t, pod, injected(t, raw, f, d), d)
			})
		}
	}
}

// injected is the pod after the patch.
func injected(t *testing.T, raw []byte, f inject.Facts, d inject.Decision) *corev1.Pod {
	t.Helper()
	ops, err := inject.Patch(f.Pod, d, inject.Defaults{Image: "registrar:test"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(ops)
	if err != nil {
		t.Fatal(err)
	}
	p, err := jsonpatch.DecodePatch(text)
	if err != nil {
		t.Fatal(err)
	}
	if raw, err = p.Apply(raw); err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{}
	if err := json.Unmarshal(raw, pod); err != nil {
		t.Fatal(err)
	}
	return pod
}

// checkInjected: the registrar is first and restricted, and the application's
// own containers are all there.
func checkInjected(t *testing.T, before, after *corev1.Pod, d inject.Decision) {
	t.Helper()
	first := after.Spec.InitContainers[0]
	plain := d.Mode == inject.ModeSidecar && !d.Native
	if plain != (first.Name == inject.InitContainerName) || !plain && first.Name != inject.ContainerName {
		t.Errorf("the first init container is %s", first.Name)
	}
	if always := first.RestartPolicy != nil && *first.RestartPolicy == corev1.ContainerRestartPolicyAlways; always != d.Native {
		t.Errorf("restartPolicy Always is %v, native %v", always, d.Native)
	}
	ours := 0
	for _, c := range append(append([]corev1.Container{}, after.Spec.InitContainers...), after.Spec.Containers...) {
		if c.Name == inject.ContainerName || c.Name == inject.InitContainerName {
			ours++
			restricted(t, c)
		}
	}
	want := map[bool]int{true: 2, false: 1}[plain]
	theirs := len(after.Spec.InitContainers) + len(after.Spec.Containers) - ours
	if ours != want || theirs != len(before.Spec.InitContainers)+len(before.Spec.Containers) {
		t.Errorf("%d containers of ours, want %d; %d of theirs", ours, want, theirs)
	}
	if after.Annotations[inject.KeyStatus] == "" {
		t.Error("there is no status annotation")
	}
}

// restricted: what the restricted Pod Security Standard asks of a container,
// and a read-only root file system.
func restricted(t *testing.T, c corev1.Container) {
	t.Helper()
	s := c.SecurityContext
	if s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.RunAsUser == nil || *s.RunAsUser == 0 {
		t.Fatalf("%s may be root: %+v", c.Name, s)
	}
	if s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.Privileged != nil && *s.Privileged {
		t.Errorf("%s may gain privileges", c.Name)
	}
	if s.Capabilities == nil || len(s.Capabilities.Drop) != 1 || s.Capabilities.Drop[0] != "ALL" || len(s.Capabilities.Add) > 0 {
		t.Errorf("%s has capabilities: %+v", c.Name, s.Capabilities)
	}
	if s.SeccompProfile == nil || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		t.Errorf("%s has the seccomp profile %+v", c.Name, s.SeccompProfile)
	}
	if s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
		t.Errorf("%s can write to its root", c.Name)
	}
}

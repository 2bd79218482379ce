// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/inject"
)

func TestInjected(t *testing.T) {
	w := need(t)
	w.serve(t, 1)
	w.make(t, "plain", nil)
	w.make(t, "labelled", map[string]string{inject.KeyInject: "sidecar"})
	w.network(t, "plain", "asks", "ipvlan", map[string]string{inject.KeyInject: "init"})
	cases := []struct {
		name    string
		pod     *corev1.Pod
		sidecar bool // else an init container
		none    bool
	}{
		{"init", pod("plain", "init", "n3"), false, false},
		{"sidecar", pod("plain", "sidecar", `[{"name":"n3","interface":"n3","ips":["10.0.1.5/24"]}]`), true, false},
		{"by the namespace", pod("labelled", "", "n3"), true, false},
		{"by the network", pod("plain", "", "asks,n3@n3"), false, false},
		{"network before namespace", pod("labelled", "", "plain/asks"), false, false},
		{"pod before namespace", pod("labelled", "false", "n3"), false, true},
		{"nobody asks", pod("plain", "", "n3"), false, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := w.create(t, c.pod)
			r := container(p)
			if c.none {
				if r != nil || len(p.Spec.InitContainers) != 1 {
					t.Fatalf("init containers are %v", initNames(p))
				}
				return
			}
			native, plain := c.sidecar && w.native, c.sidecar && !w.native
			first, containers := inject.ContainerName, []string{"upf"}
			if plain {
				first, containers = inject.InitContainerName, []string{"upf", inject.ContainerName}
			}
			if want := []string{first, "prepare"}; !slices.Equal(initNames(p), want) || !slices.Equal(names(p.Spec.Containers), containers) {
				t.Fatalf("init containers are %v, want %v; containers are %v, want %v", initNames(p), want, names(p.Spec.Containers), containers)
			}
			if got := r.RestartPolicy != nil && *r.RestartPolicy == corev1.ContainerRestartPolicyAlways; got != native {
				t.Errorf("native sidecar: %v, want %v", got, native)
			}
			if (r.StartupProbe != nil) != native {
				t.Errorf("startup probe: %v", r.StartupProbe)
			}
			if want := map[bool]string{true: "sidecar", false: "init"}[c.sidecar]; !slices.Equal(r.Args, []string{want}) {
				t.Errorf("it runs %v, not %s", r.Args, want)
			}
			if p.Annotations[inject.KeyStatus] == "" {
				t.Error("there is no status annotation")
			}
			// IRSA and calls of the API need it; the API server's own plugin
			// looks at the pod once more.
			if !slices.ContainsFunc(r.VolumeMounts, func(m corev1.VolumeMount) bool {
				return m.MountPath == "/var/run/secrets/kubernetes.io/serviceaccount"
			}) {
				t.Errorf("the ServiceAccount's token is not mounted: %v", r.VolumeMounts)
			}
		})
	}
}

// A network made a moment before its pod, which no cache may know yet, counts.
func TestInjectedRightAfterItsNamespace(t *testing.T) {
	w := need(t)
	w.serve(t, 1)
	w.make(t, "new", map[string]string{inject.KeyInject: "sidecar"})
	if _, err := w.dryRun(t.Context(), w.kube, pod("new", "", "n3")); err != nil {
		t.Error(err)
	}
	w.network(t, "new", "asks", "ipvlan", map[string]string{inject.KeyInject: "init"})
	p, err := w.dryRun(t.Context(), w.kube, pod("new", "", "asks"))
	if err != nil || container(p).RestartPolicy != nil {
		t.Errorf("%v: %v", err, p)
	}
}

func TestSecondTimeChangesNothing(t *testing.T) {
	w := need(t)
	replicas := w.serve(t, 1)
	w.make(t, "plain", nil)
	p := w.create(t, pod("plain", "sidecar", "n3"))

	again := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: "again", Annotations: p.Annotations}, Spec: *p.Spec.DeepCopy()}
	made, err := w.dryRun(t.Context(), w.kube, again)
	if err != nil {
		t.Fatal(err)
	}
	if !equality.Semantic.DeepEqual(made.Spec, p.Spec) || made.Annotations[inject.KeyStatus] != p.Annotations[inject.KeyStatus] {
		t.Errorf("an injected pod was changed:\n%v\n%v", p.Spec, made.Spec)
	}

	dry, err := w.dryRun(t.Context(), w.kube, pod("plain", "sidecar", "n3"))
	if err != nil {
		t.Fatal(err)
	}
	if !equality.Semantic.DeepEqual(container(dry).Env, container(p).Env) || len(dry.Spec.Volumes) != len(p.Spec.Volumes) {
		t.Error("a dry run tells of another pod than is made")
	}

	before := replicas[0].admissions(t)
	p.Labels = map[string]string{"changed": "true"}
	updated, err := w.kube.CoreV1().Pods(p.Namespace).Update(t.Context(), p, metav1.UpdateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !equality.Semantic.DeepEqual(updated.Spec, p.Spec) {
		t.Error("an update changed the pod")
	}
	if after := replicas[0].admissions(t); after != before {
		t.Errorf("an update came to the webhook: %d admissions, then %d", before, after)
	}
	if s := "Failed to set admission audit annotation"; strings.Contains(w.api.output(), s) {
		t.Errorf("the API server complains: %s\n%s", s, w.api.tail())
	}
}

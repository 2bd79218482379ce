// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
)

// podSpecs are those of the Deployment and of the test.
func podSpecs(t *testing.T, objects []runtime.Object) map[string]corev1.PodSpec {
	t.Helper()
	return map[string]corev1.PodSpec{
		"deployment": one[*appsv1.Deployment](t, objects).Spec.Template.Spec,
		"test":       one[*corev1.Pod](t, objects).Spec,
	}
}

// TestRestrictedPodSecurity: every rule of the restricted standard, and a root file
// system that cannot be written to.
// Source: Kubernetes, "Pod Security Standards".
func TestRestrictedPodSecurity(t *testing.T) {
	each(t, func(t *testing.T, objects []runtime.Object) {
		for name, spec := range podSpecs(t, objects) {
			p := spec.SecurityContext
			if p == nil || p.RunAsNonRoot == nil || !*p.RunAsNonRoot || p.RunAsUser == nil || *p.RunAsUser == 0 ||
				p.SeccompProfile == nil || p.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
				t.Errorf("%s: pod security context %v", name, p)
			}
			if spec.HostNetwork || spec.HostPID || spec.HostIPC {
				t.Errorf("%s: uses the host's namespaces", name)
			}
			for _, v := range spec.Volumes {
				if v.Secret == nil {
					t.Errorf("%s: volume %s is no Secret", name, v.Name)
				}
			}
			for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
				s := c.SecurityContext
				if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem ||
					s.Privileged != nil || s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 {
					t.Errorf("%s: container %s: %v", name, c.Name, s)
				}
				if c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() || !c.Resources.Limits.Cpu().IsZero() {
					t.Errorf("%s: container %s: resources %v", name, c.Name, c.Resources)
				}
				for _, p := range c.Ports {
					if p.HostPort != 0 {
						t.Errorf("%s: container %s takes a port of the worker", name, c.Name)
					}
				}
			}
		}
	})
}

// TestNothingIsLostInARollingRestart, as far as the manifest can see to it.
func TestNothingIsLostInARollingRestart(t *testing.T) {
	each(t, func(t *testing.T, objects []runtime.Object) {
		d := one[*appsv1.Deployment](t, objects)
		if *d.Spec.Replicas < 2 {
			t.Errorf("%d replicas", *d.Spec.Replicas)
		}
		if u := d.Spec.Strategy.RollingUpdate; u == nil || u.MaxUnavailable.IntValue() != 0 || u.MaxSurge.IntValue() != 1 {
			t.Errorf("strategy %v", u)
		}
		spec := d.Spec.Template.Spec
		var sum time.Duration
		for _, flag := range []string{"--drain-delay=", "--shutdown-timeout="} {
			for _, a := range spec.Containers[0].Args {
				if value, ok := strings.CutPrefix(a, flag); ok {
					d, err := time.ParseDuration(value)
					if err != nil {
						t.Error(err)
					}
					sum += d
				}
			}
		}
		if grace := time.Duration(*spec.TerminationGracePeriodSeconds) * time.Second; grace <= sum || sum < 25*time.Second {
			t.Errorf("grace period %v, drain and shutdown %v", grace, sum)
		}
		if len(spec.TopologySpreadConstraints) == 0 || spec.Affinity == nil {
			t.Error("replicas are not spread")
		}
		c := spec.Containers[0]
		if c.ReadinessProbe.HTTPGet.Path != "/readyz" || c.LivenessProbe.HTTPGet.Path != "/healthz" {
			t.Error("probes ask something else")
		}
		pdb := one[*policyv1.PodDisruptionBudget](t, objects)
		if pdb.Spec.MaxUnavailable == nil || pdb.Spec.MinAvailable != nil {
			t.Errorf("disruption budget %v", pdb.Spec)
		}
	})
}

// TestSelectors: the Service, the disruption budget and the Deployment mean the
// webhook's pods, and not that of the test.
func TestSelectors(t *testing.T) {
	each(t, func(t *testing.T, objects []runtime.Object) {
		d := one[*appsv1.Deployment](t, objects)
		test := one[*corev1.Pod](t, objects)
		for name, selector := range map[string]map[string]string{
			"deployment": d.Spec.Selector.MatchLabels,
			"service":    one[*corev1.Service](t, objects).Spec.Selector,
			"budget":     one[*policyv1.PodDisruptionBudget](t, objects).Spec.Selector.MatchLabels,
		} {
			s := labels.SelectorFromSet(selector)
			if s.Empty() || !s.Matches(labels.Set(d.Spec.Template.Labels)) || s.Matches(labels.Set(test.Labels)) {
				t.Errorf("%s: %s", name, s)
			}
		}
	})
}

// TestImages: by digest where there is one, else by tag; nothing else runs, in the
// test neither.
func TestImages(t *testing.T) {
	for file, want := range map[string][2]string{
		"defaults": {"multus-ip-registrar/webhook:0.1.0", "multus-ip-registrar/registrar:0.1.0"},
		"cert-manager": {"registry.example/network/multus-ip-registrar/webhook@sha256:" + strings.Repeat("0", 63) + "1",
			"registry.example/network/multus-ip-registrar/registrar@sha256:" + strings.Repeat("0", 63) + "2"},
		"everything": {"registry.example:5000/network/mir/webhook:v9", "registry.example:5000/network/mir/registrar:v9"},
	} {
		specs := podSpecs(t, render(t, "4", "-f", "testdata/values/"+file+".yaml"))
		for name, spec := range specs {
			for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
				if c.Image != want[0] {
					t.Errorf("%s: %s: container %s has image %s", file, name, c.Name, c.Image)
				}
			}
		}
		if args := specs["deployment"].Containers[0].Args; !slices.Contains(args, "--image="+want[1]) {
			t.Errorf("%s: no --image=%s in %q", file, want[1], args)
		}
	}
}

// TestTheWebhookTakesItsArguments: the program itself reads them, finds no fault in
// flags and values, and fails for want of a cluster only.
func TestTheWebhookTakesItsArguments(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "webhook")
	if out, err := exec.Command("go", "build", "-o", bin, root+"/cmd/webhook").CombinedOutput(); err != nil {
		t.Fatalf("build the webhook: %v\n%s", err, out)
	}
	each(t, func(t *testing.T, objects []runtime.Object) {
		for name, spec := range podSpecs(t, objects) {
			var args []string
			for _, a := range slices.Concat(spec.InitContainers, spec.Containers)[0].Args {
				// What the kubelet does with an escaped $(VAR).
				args = append(args, strings.ReplaceAll(a, "$$(", "$("))
			}
			c := exec.CommandContext(t.Context(), bin, args...)
			c.Env = []string{"HOME=/"}
			out, _ := c.CombinedOutput()
			if code := c.ProcessState.ExitCode(); code != 1 || !strings.Contains(string(out), "find the API server") {
				t.Errorf("%s: %q: exit code %d\n%s", name, args, code, out)
			}
		}
	})
	want := `--registrar-env="NO_PROXY=localhost,""quoted"",$$(HOME)"`
	if args := podSpecs(t, render(t, "4", "-f", "testdata/values/everything.yaml"))["deployment"].Containers[0].Args; !slices.Contains(args, want) {
		t.Errorf("no %s in %q", want, args)
	}
}

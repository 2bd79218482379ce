// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// TestLint: both Helms find nothing to warn of, with any values.
func TestLint(t *testing.T) {
	for _, major := range majors {
		for _, file := range valuesFiles(t) {
			if out, errs, err := helm(t, major, "lint", "--strict", chart, "--namespace", namespace, "--kube-version", kubernetes, "-f", file); err != nil {
				t.Errorf("helm %s, %s: %v\n%s%s", major, file, err, out, errs)
			}
		}
	}
}

// TestBothHelmsRenderTheSame, and all of it decodes strictly.
func TestBothHelmsRenderTheSame(t *testing.T) {
	for _, file := range valuesFiles(t) {
		byName := map[string]map[string]runtime.Object{}
		for _, major := range majors {
			byName[major] = map[string]runtime.Object{}
			for _, o := range render(t, major, "-f", file) {
				key := kind(o) + " " + meta(t, o).GetName()
				if byName[major][key] != nil {
					t.Errorf("%s: %s is there twice", file, key)
				}
				byName[major][key] = o
			}
		}
		if diff := cmp.Diff(byName["3"], byName["4"]); diff != "" {
			t.Errorf("%s (-helm 3 +helm 4):\n%s", file, diff)
		}
	}
}

func kind(o runtime.Object) string {
	if u, ok := o.(*unstructured.Unstructured); ok {
		return u.GetKind()
	}
	kinds, _, err := scheme.Scheme.ObjectKinds(o)
	if err != nil {
		return err.Error()
	}
	return kinds[0].Kind
}

// TestWhatIsMade: each kind of certificate with its objects, and no other.
func TestWhatIsMade(t *testing.T) {
	usual := "ClusterRole ClusterRoleBinding Deployment MutatingWebhookConfiguration NetworkPolicy PodDisruptionBudget Service ServiceAccount " +
		"Pod Role RoleBinding ServiceAccount" // the test's
	for file, further := range map[string]string{
		"defaults":                   "Role RoleBinding",
		"cert-manager":               "Certificate",
		"cert-manager-own-authority": "Certificate Certificate Issuer Issuer",
		"own-secret":                 "",
		"everything":                 "Role RoleBinding PrometheusRule ServiceMonitor",
	} {
		want := map[string]int{}
		for _, k := range strings.Fields(usual + " " + further) {
			want[k]++
		}
		got := map[string]int{}
		for _, o := range render(t, "4", "-f", "testdata/values/"+file+".yaml") {
			got[kind(o)]++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

// TestOffMeansGone: what can be switched off is not made.
func TestOffMeansGone(t *testing.T) {
	objects := render(t, "4", "--set", "rbac.create=false,serviceAccount.create=false,podDisruptionBudget.enabled=false,networkPolicy.enabled=false")
	for _, o := range objects {
		switch k := kind(o); k {
		case "Deployment", "MutatingWebhookConfiguration", "Pod", "Service":
		default:
			t.Errorf("a %s is made", k)
		}
	}
}

// TestEverythingIsSet: testdata/values/everything.yaml would miss a new value
// otherwise. Values that exclude one another are other files' business.
func TestEverythingIsSet(t *testing.T) {
	var have, want map[string]any
	for file, into := range map[string]*map[string]any{"testdata/values/everything.yaml": &have, chart + "/values.yaml": &want} {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(raw, into); err != nil {
			t.Fatal(err)
		}
	}
	for key := range want {
		if _, ok := have[key]; !ok && key != "certificates" && key != "rbac" {
			t.Errorf("%s is not set", key)
		}
	}
}

// TestWrongValuesAreRefused with a message that names the place.
func TestWrongValuesAreRefused(t *testing.T) {
	for _, c := range []struct {
		set  string
		want []string
	}{
		{"replica=3", []string{"'replica'"}},
		{"webhook.failurepolicy=Ignore", []string{"/webhook", "'failurepolicy'"}},
		{"webhook.failurePolicy=ignore", []string{"/webhook/failurePolicy", "'Fail', 'Ignore'"}},
		{"webhook.timeoutSeconds=31", []string{"/webhook/timeoutSeconds", "30"}},
		{"registrar.image.digest=sha256:12", []string{"/registrar/image/digest"}},
		{"webhook.timeoutSeconds=2", []string{"/webhook/timeoutSeconds", "3"}},
		{"image.repository=webhook@sha256:12", []string{"/image/repository"}},
		{"image.repository=mir/webhook:0.1.0", []string{"/image/repository"}},
		{"registrar.image.repository=r:1", []string{"/registrar/image/repository"}},
		{"image.tag=a b", []string{"/image/tag"}},
		{"imageRegistry=https://registry.example", []string{"/imageRegistry"}},
		{"registrar.env.A=1", []string{"/registrar/env/A", "want string"}},
		{"registrar.env.A B=x", []string{"/registrar/env", "'A B'"}},
		{"certificates.mode=certmanager", []string{"/certificates/mode", "'cert-manager'"}},
		{"certificates.mode=secret", []string{"/certificates/secret/name", "/certificates/secret/caBundle"}},
		{"replicas=0", []string{"/replicas"}},
		{"ports.webhook=443", []string{"/ports/webhook", "minimum"}},
		{"networkPolicy.apiServerCIDRs={10.0.0.1}", []string{"/networkPolicy/apiServerCIDRs/0"}},
		{`podLabels.app\.kubernetes\.io/name=x`, []string{"/podLabels"}},
		{"shutdownTimeoutSeconds=5", []string{"make it at least webhook.timeoutSeconds (10)"}},
		{"ports.webhook=8080", []string{"choose two"}},
	} {
		for _, major := range majors {
			_, errs, err := template(t, major, "--set", c.set)
			if err == nil {
				t.Errorf("helm %s accepts %s", major, c.set)
			}
			for _, want := range c.want {
				if !strings.Contains(errs, want) {
					t.Errorf("helm %s, %s: nothing of %q in:\n%s", major, c.set, want, errs)
				}
			}
		}
	}
}

// TestReleasesThatCannotNameAService are refused with the cure, and made with it.
func TestReleasesThatCannotNameAService(t *testing.T) {
	for _, name := range []string{"5gc", "mir.v2"} {
		for _, major := range majors {
			args := []string{"template", name, chart, "--kube-version", kubernetes}
			if _, errs, err := helm(t, major, args...); err == nil || !strings.Contains(errs, "set fullnameOverride") {
				t.Errorf("helm %s, %s: %v %s", major, name, err, errs)
			}
			if _, errs, err := helm(t, major, append(args, "--set", "fullnameOverride=mir")...); err != nil {
				t.Errorf("helm %s, %s by another name: %s", major, name, errs)
			}
		}
	}
}

// TestUnusualValuesAreTaken: a list that is taken away, and a registry's port.
func TestUnusualValuesAreTaken(t *testing.T) {
	for _, set := range []string{"webhook.excludeNamespaces=null", "image.repository=localhost:5000/mir/webhook"} {
		for _, major := range majors {
			if _, errs, err := template(t, major, "--set", set); err != nil {
				t.Errorf("helm %s, %s: %s", major, set, errs)
			}
		}
	}
}

// TestAsASubchart: Helm hands a parent's globals down.
func TestAsASubchart(t *testing.T) {
	if _, errs, err := template(t, "4", "--set", "global.x=y"); err != nil {
		t.Error(errs)
	}
}

// TestOldClusters: 1.28 has no native sidecars, but the test; 1.27 has no
// matchConditions and is refused.
func TestOldClusters(t *testing.T) {
	for _, major := range majors {
		one[*corev1.Pod](t, render(t, major, "--kube-version", "v1.28.15-eks-1"))
		if _, errs, err := template(t, major, "--kube-version", "v1.27.9"); err == nil || !strings.Contains(errs, "kubeVersion") {
			t.Errorf("1.27: %v %s", err, errs)
		}
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/inject"
)

// hook is the webhook for pods.
func hook(t *testing.T, objects []runtime.Object) (*admissionregistrationv1.MutatingWebhookConfiguration, admissionregistrationv1.MutatingWebhook) {
	t.Helper()
	c := one[*admissionregistrationv1.MutatingWebhookConfiguration](t, objects)
	if len(c.Webhooks) != 2 || c.Webhooks[0].Name != "inject.multus-ip-registrar.io" || c.Webhooks[1].Name != "check.multus-ip-registrar.io" {
		t.Fatalf("%d webhooks", len(c.Webhooks))
	}
	return c, c.Webhooks[0]
}

// TestTheCheckConcernsItsOwnPodsOnly: the second webhook is called as the first is, for
// pods of the release's namespace with a label that nobody else uses.
func TestTheCheckConcernsItsOwnPodsOnly(t *testing.T) {
	each(t, func(t *testing.T, objects []runtime.Object) {
		c, first := hook(t, objects)
		w := c.Webhooks[1]
		if diff := cmp.Diff(first.ClientConfig, w.ClientConfig); diff != "" {
			t.Errorf("it is called in another way (-inject +check):\n%s", diff)
		}
		if diff := cmp.Diff(first.Rules, w.Rules); diff != "" || *w.SideEffects != admissionregistrationv1.SideEffectClassNone || len(w.MatchConditions) > 0 {
			t.Errorf("%v %s", w, diff)
		}
		for _, ns := range []string{"kube-system", "core", namespace} {
			if got := matches(t, w.NamespaceSelector, labels.Set{corev1.LabelMetadataName: ns, "cnf": "true", "stage": "prod"}); got != (ns == namespace) {
				t.Errorf("pods of %s are looked at: %v", ns, got)
			}
		}
		for _, set := range []labels.Set{nil, one[*appsv1.Deployment](t, objects).Spec.Template.Labels, one[*corev1.Pod](t, objects).Labels} {
			if matches(t, w.ObjectSelector, set) {
				t.Errorf("a pod with %v is looked at", set)
			}
		}
		if !matches(t, w.ObjectSelector, labels.Set{inject.Prefix + "check": "true"}) {
			t.Errorf("object selector %v", w.ObjectSelector)
		}
	})
}

// TestOrderOfWebhooks: API servers call them in the order of their configurations'
// names, whatever the release is called.
// Source: k8s.io/apiserver, configuration.mergeMutatingWebhookConfigurations.
func TestOrderOfWebhooks(t *testing.T) {
	for _, args := range [][]string{nil, {"-f", "testdata/values/everything.yaml"}, {"--set", "fullnameOverride=zebra"}} {
		c, _ := hook(t, render(t, "4", args...))
		names := []string{"istio-revision-tag-default", "istio-sidecar-injector", "istio-sidecar-injector-1-24", "linkerd-proxy-injector-webhook-config", c.Name, "pod-identity-webhook"}
		if !slices.IsSorted(names) {
			t.Errorf("%v: the order is another", names)
		}
	}
}

// TestConfiguration: what holds with any values.
func TestConfiguration(t *testing.T) {
	each(t, func(t *testing.T, objects []runtime.Object) {
		_, w := hook(t, objects)
		if !slices.Equal(w.AdmissionReviewVersions, []string{"v1"}) || *w.SideEffects != admissionregistrationv1.SideEffectClassNone ||
			*w.ReinvocationPolicy != admissionregistrationv1.IfNeededReinvocationPolicy || *w.TimeoutSeconds > 10 {
			t.Errorf("%v", w)
		}
		scope := admissionregistrationv1.NamespacedScope
		if len(w.Rules) != 1 || !slices.Equal(w.Rules[0].Operations, []admissionregistrationv1.OperationType{"CREATE"}) ||
			!slices.Equal(w.Rules[0].Resources, []string{"pods"}) || *w.Rules[0].Scope != scope {
			t.Errorf("rules %v", w.Rules)
		}
		service := one[*corev1.Service](t, objects)
		if s := w.ClientConfig.Service; s == nil || s.Name != service.Name || s.Namespace != namespace || *s.Path != "/inject" || *s.Port != service.Spec.Ports[0].Port {
			t.Errorf("calls %v", s)
		}
		port := one[*appsv1.Deployment](t, objects).Spec.Template.Spec.Containers[0].Ports[0]
		if service.Spec.Ports[0].TargetPort.StrVal != port.Name {
			t.Errorf("the Service leads to %v", service.Spec.Ports[0].TargetPort)
		}
		for _, ns := range []string{"kube-system", namespace} {
			if matches(t, w.NamespaceSelector, labels.Set{corev1.LabelMetadataName: ns, "cnf": "true", "stage": "prod"}) {
				t.Errorf("pods of %s are looked at", ns)
			}
		}
		if !matches(t, w.NamespaceSelector, labels.Set{corev1.LabelMetadataName: "core", "cnf": "true", "stage": "prod"}) {
			t.Error("no pods are looked at")
		}
	})
}

func matches(t *testing.T, selector *metav1.LabelSelector, set labels.Set) bool {
	t.Helper()
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	return s.Matches(set)
}

// TestSelectorsAreTheUsers: values reach the configuration.
func TestSelectorsAreTheUsers(t *testing.T) {
	c, w := hook(t, render(t, "4", "-f", "testdata/values/everything.yaml"))
	for _, wrong := range []labels.Set{{"cnf": "true"}, {"stage": "prod"}, {"cnf": "true", "stage": "prod", corev1.LabelMetadataName: "monitoring"}} {
		if matches(t, w.NamespaceSelector, wrong) {
			t.Errorf("a namespace with %v is looked at", wrong)
		}
	}
	if matches(t, w.ObjectSelector, nil) || !matches(t, w.ObjectSelector, labels.Set{"cnf": "true"}) {
		t.Errorf("object selector %v", w.ObjectSelector)
	}
	if *w.FailurePolicy != admissionregistrationv1.Ignore || *w.TimeoutSeconds != 5 || c.Annotations["note"] != "hello" {
		t.Errorf("%v", w)
	}
	if last := w.MatchConditions[len(w.MatchConditions)-1]; last.Name != "no-canary" {
		t.Errorf("match conditions end with %v", last)
	}
	if _, w := hook(t, render(t, "4")); *w.FailurePolicy != admissionregistrationv1.Fail {
		t.Errorf("failurePolicy is %s", *w.FailurePolicy)
	}
}

// TestMatchConditions name the program's own keys. An API server compiles and
// evaluates them in another test.
func TestMatchConditions(t *testing.T) {
	_, w := hook(t, render(t, "4"))
	all := ""
	for _, c := range w.MatchConditions {
		all += c.Name + ": " + c.Expression + "\n"
		if strings.Contains(c.Expression, "\n") || len(c.Expression) == 0 {
			t.Errorf("%s is %q", c.Name, c.Expression)
		}
	}
	for _, want := range []string{"has-networks-or-asks: ", "'" + inject.NetworksKey + "' in", "'" + inject.KeyInject + "' in", "['" + inject.KeyInject + "'] != 'false'", "'" + inject.KeyStatus + "' in", "c.name == '" + inject.ContainerName + "'"} {
		if !strings.Contains(all, want) {
			t.Errorf("nothing of %q in:\n%s", want, all)
		}
	}
}

// TestWhereTheBundleComesFrom: from the webhook itself, from cert-manager, or from
// the values; and the same Secret is mounted that is made.
func TestWhereTheBundleComesFrom(t *testing.T) {
	const annotation = "cert-manager.io/inject-ca-from"
	for file, want := range map[string]struct{ bundle, from, secret string }{
		"defaults":                   {},
		"cert-manager":               {from: namespace + "/" + fullname, secret: fullname + "-webhook-certs"},
		"cert-manager-own-authority": {from: namespace + "/" + fullname, secret: fullname + "-webhook-certs"},
		"own-secret":                 {bundle: "-----BEGIN CERTIFICATE-----", secret: "my-certificate"},
	} {
		objects := render(t, "4", "-f", "testdata/values/"+file+".yaml")
		c, w := hook(t, objects)
		if c.Annotations[annotation] != want.from {
			t.Errorf("%s: %s", file, c.Annotations[annotation])
		}
		if !bytes.HasPrefix(w.ClientConfig.CABundle, []byte(want.bundle)) || (want.bundle == "") != (w.ClientConfig.CABundle == nil) {
			t.Errorf("%s: bundle %s", file, w.ClientConfig.CABundle)
		}
		mounted := ""
		if spec := podSpecs(t, objects)["deployment"]; len(spec.Volumes) > 0 {
			mounted = spec.Volumes[0].Secret.SecretName
		}
		if mounted != want.secret {
			t.Errorf("%s: it mounts %q", file, mounted)
		}
		for _, u := range custom(objects, "Certificate") {
			if u.GetName() == fullname {
				certificate(t, u, want.secret)
			}
		}
	}
}

func certificate(t *testing.T, u *unstructured.Unstructured, secret string) {
	t.Helper()
	made, _, _ := unstructured.NestedString(u.Object, "spec", "secretName")
	names, _, _ := unstructured.NestedStringSlice(u.Object, "spec", "dnsNames")
	if made != secret || !slices.Contains(names, fullname+"."+namespace+".svc") {
		t.Errorf("certificate %s for %v", made, names)
	}
}

// TestNotesTellTheNextStep with keys that exist. Helm 4 alone: without a cluster Helm
// 3 does not show them.
func TestNotesTellTheNextStep(t *testing.T) {
	out, errs, err := helm(t, "4", "install", release, chart, "--namespace", namespace, "--dry-run=client")
	if err != nil {
		t.Fatalf("%v\n%s", err, errs)
	}
	_, notes, _ := strings.Cut(out, "NOTES:")
	for _, want := range []string{inject.KeyInject + ": sidecar", inject.NetworksKey + ": ", "label namespace NAMESPACE " + inject.KeyInject + "=sidecar",
		"helm test " + release + " -n " + namespace, "deployment/" + fullname, "-c " + inject.ContainerName + " -- " + inject.Binary + " status", "imageRegistry is empty"} {
		if !strings.Contains(notes, want) {
			t.Errorf("nothing of %q in:\n%s", want, notes)
		}
	}
}

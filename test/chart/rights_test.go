// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
)

var (
	reading = []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"namespaces"}, Verbs: []string{"get", "list", "watch"}},
		{APIGroups: []string{"k8s.cni.cncf.io"}, Resources: []string{"network-attachment-definitions"}, Verbs: []string{"get", "list", "watch"}},
	}
	announcing = rbacv1.PolicyRule{APIGroups: []string{"admissionregistration.k8s.io"}, Resources: []string{"mutatingwebhookconfigurations"},
		ResourceNames: []string{"multus-ip-registrar"}, Verbs: []string{"get", "patch", "watch"}}
	sharing = []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{fullname + "-webhook-certs"}, Verbs: []string{"get", "update"}},
		{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"create"}},
	}
)

// TestRights: these and no others. A right more wants its reason here.
func TestRights(t *testing.T) {
	for file, want := range map[string]struct{ cluster, own []rbacv1.PolicyRule }{
		"defaults":     {append(reading[:2:2], announcing), sharing},
		"cert-manager": {reading, nil},
		"own-secret":   {reading, nil},
	} {
		objects := render(t, "4", "-f", "testdata/values/"+file+".yaml")
		if diff := cmp.Diff(want.cluster, one[*rbacv1.ClusterRole](t, objects).Rules); diff != "" {
			t.Errorf("%s: cluster role (-want +got):\n%s", file, diff)
		}
		var own []rbacv1.PolicyRule
		kept, _ := hooks(t, objects)
		for _, r := range all[*rbacv1.Role](kept) {
			if r.Namespace != namespace {
				t.Errorf("%s: a role in %s", file, r.Namespace)
			}
			own = append(own, r.Rules...)
		}
		if diff := cmp.Diff(want.own, own); diff != "" {
			t.Errorf("%s: role (-want +got):\n%s", file, diff)
		}
	}
}

// hooks parts what is installed from what exists only while helm test runs.
func hooks(t *testing.T, objects []runtime.Object) (kept, testing []runtime.Object) {
	t.Helper()
	for _, o := range objects {
		if meta(t, o).GetAnnotations()["helm.sh/hook"] == "test" {
			testing = append(testing, o)
		} else {
			kept = append(kept, o)
		}
	}
	return kept, testing
}

// TestTheRightToMakePods is the test's own, in the release's namespace, and goes with
// the test.
func TestTheRightToMakePods(t *testing.T) {
	each(t, func(t *testing.T, objects []runtime.Object) {
		kept, test := hooks(t, objects)
		account, role, binding := one[*corev1.ServiceAccount](t, test), one[*rbacv1.Role](t, test), one[*rbacv1.RoleBinding](t, test)
		if diff := cmp.Diff([]rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"create"}}}, role.Rules); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		want := []rbacv1.Subject{{Kind: "ServiceAccount", Name: account.Name, Namespace: namespace}}
		if diff := cmp.Diff(want, binding.Subjects); diff != "" || binding.RoleRef.Name != role.Name || binding.RoleRef.Kind != "Role" {
			t.Errorf("role binding %v %s", binding.RoleRef, diff)
		}
		if account.Name == one[*corev1.ServiceAccount](t, kept).Name || one[*corev1.Pod](t, test).Spec.ServiceAccountName != account.Name {
			t.Errorf("the test uses the account %s", account.Name)
		}
		for _, o := range test {
			if m := meta(t, o); m.GetNamespace() != namespace || m.GetAnnotations()["helm.sh/hook-delete-policy"] != "before-hook-creation,hook-succeeded" {
				t.Errorf("%s %s in %q: %v", kind(o), m.GetName(), m.GetNamespace(), m.GetAnnotations())
			}
		}
	})
}

// TestRightsAreForTheServiceAccount that the pods use, which has no role in AWS.
func TestRightsAreForTheServiceAccount(t *testing.T) {
	each(t, func(t *testing.T, objects []runtime.Object) {
		kept, _ := hooks(t, objects)
		rightsOf(t, kept)
	})
}

func rightsOf(t *testing.T, objects []runtime.Object) {
	t.Helper()
	account := one[*corev1.ServiceAccount](t, objects)
	if account.AutomountServiceAccountToken == nil || *account.AutomountServiceAccountToken {
		t.Error("every pod with this account gets its token")
	}
	for key := range account.Annotations {
		if key == "eks.amazonaws.com/role-arn" {
			t.Error("the webhook needs no role")
		}
	}
	want := []rbacv1.Subject{{Kind: "ServiceAccount", Name: account.Name, Namespace: namespace}}
	b := one[*rbacv1.ClusterRoleBinding](t, objects)
	if diff := cmp.Diff(want, b.Subjects); diff != "" || b.RoleRef.Kind != "ClusterRole" || b.RoleRef.Name != one[*rbacv1.ClusterRole](t, objects).Name {
		t.Errorf("cluster role binding %v %s", b.RoleRef, diff)
	}
	for _, b := range all[*rbacv1.RoleBinding](objects) {
		if diff := cmp.Diff(want, b.Subjects); diff != "" || b.RoleRef.Kind != "Role" || b.RoleRef.Name != one[*rbacv1.Role](t, objects).Name {
			t.Errorf("role binding %v %s", b.RoleRef, diff)
		}
	}
	spec := one[*appsv1.Deployment](t, objects).Spec.Template.Spec
	if spec.ServiceAccountName != account.Name || spec.AutomountServiceAccountToken == nil || !*spec.AutomountServiceAccountToken {
		t.Errorf("service account %s", spec.ServiceAccountName)
	}
}

// TestNetworkPolicy: in by the two ports, out to the API server; the pod of the
// test too.
func TestNetworkPolicy(t *testing.T) {
	each(t, func(t *testing.T, objects []runtime.Object) {
		p := one[*networkingv1.NetworkPolicy](t, objects).Spec
		s := labels.SelectorFromSet(p.PodSelector.MatchLabels)
		if s.Empty() || !s.Matches(labels.Set(one[*appsv1.Deployment](t, objects).Spec.Template.Labels)) || !s.Matches(labels.Set(one[*corev1.Pod](t, objects).Labels)) {
			t.Errorf("selects %s", s)
		}
		if len(p.PolicyTypes) != 2 || len(p.Ingress) != 2 || len(p.Egress) != 1 {
			t.Fatalf("%v", p)
		}
		if in := p.Ingress[0].Ports; len(in) != 1 || in[0].Port.StrVal != "https" {
			t.Errorf("the API server may reach %v", in)
		}
		if in := p.Ingress[1]; len(in.Ports) != 1 || in.Ports[0].Port.StrVal != "ops" || len(in.From) == 0 {
			t.Errorf("metrics: %v", in)
		}
		for _, out := range p.Egress[0].Ports {
			if out.Port.IntVal != 443 && out.Port.IntVal != 6443 {
				t.Errorf("out to %v", out.Port)
			}
		}
	})
	p := one[*networkingv1.NetworkPolicy](t, render(t, "4", "-f", "testdata/values/everything.yaml")).Spec
	if len(p.Ingress[0].From) != 2 || len(p.Egress[0].To) != 2 || p.Egress[0].To[1].IPBlock.CIDR != "fd00::/64" {
		t.Errorf("apiServerCIDRs are not heard: %v", p)
	}
}

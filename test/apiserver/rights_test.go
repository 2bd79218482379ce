// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The webhook never asks for what it may not, and may not do what it need not.
func TestRights(t *testing.T) {
	w := need(t)
	w.put(t, nil)
	r := w.serve(t, 1)[0]
	w.make(t, "other", nil)
	w.nudge(t)
	w.settled(t)
	r.terminate(t)
	for line := range strings.Lines(r.output()) {
		if strings.Contains(line, "forbidden") || strings.Contains(line, "Forbidden") {
			t.Errorf("a right is missing: %s", line)
		}
	}

	const admission, networks = "admissionregistration.k8s.io", "k8s.cni.cncf.io"
	configuration := w.installed.configuration.Name
	cases := []struct {
		verbs, namespace, group, resource, name string
		allowed                                 bool
	}{
		{"get,list,watch", "", "", "namespaces", "", true},
		{"create,update,patch,delete", "", "", "namespaces", "", false},
		{"get,list,watch", "", networks, "network-attachment-definitions", "", true},
		{"create,update,patch,delete", "other", networks, "network-attachment-definitions", "", false},
		{"get,patch,watch", "", admission, "mutatingwebhookconfigurations", configuration, true},
		{"get,patch,update,delete", "", admission, "mutatingwebhookconfigurations", "another", false},
		{"create,delete", "", admission, "mutatingwebhookconfigurations", configuration, false},
		{"patch,update", "", admission, "validatingwebhookconfigurations", configuration, false},
		{"get,update", system, "", "secrets", w.secret(), true},
		{"get,update,patch,delete", system, "", "secrets", "another", false},
		{"list,watch", system, "", "secrets", "", false},
		{"get,list,watch,create,update", "other", "", "secrets", w.secret(), false},
		{"get,list,create,update,patch,delete", "other", "", "pods", "", false},
		{"create", system, "", "serviceaccounts/token", "", false},
		{"get,list,create,delete", "", "", "nodes", "", false},
		{"create,bind,escalate", "", "rbac.authorization.k8s.io", "clusterroles", "", false},
	}
	account := w.installed.deployment.Spec.Template.Spec.ServiceAccountName
	for _, c := range cases {
		resource, sub, _ := strings.Cut(c.resource, "/")
		for verb := range strings.SplitSeq(c.verbs, ",") {
			review, err := w.kube.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{
				Spec: authorizationv1.SubjectAccessReviewSpec{
					User: "system:serviceaccount:" + system + ":" + account, Groups: []string{"system:serviceaccounts", "system:authenticated"},
					ResourceAttributes: &authorizationv1.ResourceAttributes{
						Verb: verb, Namespace: c.namespace, Group: c.group, Resource: resource, Subresource: sub, Name: c.name,
					},
				},
			}, metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if review.Status.Allowed != c.allowed {
				t.Errorf("%s %s %s in %q: allowed is %v, want %v", verb, c.resource, c.name, c.namespace, review.Status.Allowed, c.allowed)
			}
		}
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/inject"
)

// addNetworks is a webhook that gives every pod the network n3.
func addNetworks(w http.ResponseWriter, r *http.Request) {
	var review admissionv1.AdmissionReview
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	kind := admissionv1.PatchTypeJSONPatch
	review.Response = &admissionv1.AdmissionResponse{
		UID: review.Request.UID, Allowed: true, PatchType: &kind,
		Patch: fmt.Appendf(nil, `[{"op":"add","path":"/metadata/annotations/%s","value":"n3"}]`, strings.ReplaceAll(inject.NetworksKey, "/", "~1")),
	}
	review.Request = nil
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(review)
}

// later registers a webhook for the pods of a namespace whose name puts it after ours.
func (w *world) later(t *testing.T, namespace string, do http.HandlerFunc) {
	t.Helper()
	s := httptest.NewTLSServer(do)
	t.Cleanup(s.Close)
	none := admissionregistrationv1.SideEffectClassNone
	c := &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "zz-later"},
		Webhooks: []admissionregistrationv1.MutatingWebhook{{
			Name: "later.example.com", AdmissionReviewVersions: []string{"v1"}, SideEffects: &none,
			ClientConfig: admissionregistrationv1.WebhookClientConfig{
				URL:      &s.URL,
				CABundle: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}),
			},
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": namespace}},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
			}},
		}},
	}
	configurations := w.kube.AdmissionregistrationV1().MutatingWebhookConfigurations()
	if _, err := configurations.Create(t.Context(), c, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := configurations.Delete(context.Background(), c.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
}

// Networks that a webhook after ours adds are seen, as ours is called again.
func TestNetworksOfALaterWebhook(t *testing.T) {
	w := need(t)
	w.serve(t, 1)
	w.make(t, "later", nil)
	w.later(t, "later", addNetworks)
	err := until(patience, func() error {
		p, err := w.kube.CoreV1().Pods("later").Create(t.Context(), pod("later", "sidecar", ""), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err != nil {
			return err
		}
		if p.Annotations[inject.NetworksKey] == "" {
			return fmt.Errorf("the later webhook is not called yet")
		}
		if container(p) == nil {
			return fmt.Errorf("not injected: init containers %v", initNames(p))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if s := "Failed to set admission audit annotation"; strings.Contains(w.api.output(), s) {
		t.Errorf("the API server complains: %s\n%s", s, w.api.tail())
	}
}

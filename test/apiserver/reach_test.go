// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"strings"
	"syscall"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Pods without networks that do not ask never come to the webhook: it can do them no harm.
func TestPodsWithoutNetworksNeverReachTheWebhook(t *testing.T) {
	w := need(t)
	r := w.serve(t, 1)[0]
	w.make(t, "plain", nil)
	before := r.admissions(t)
	bare := pod("plain", "", "")
	bare.Annotations = nil
	for _, p := range []*corev1.Pod{bare, with(pod("plain", "", ""), "example.com/other", "x"), pod("plain", "false", "")} {
		if _, err := w.kube.CoreV1().Pods("plain").Create(t.Context(), p, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}); err != nil {
			t.Error(err)
		}
	}
	if after := r.admissions(t); after != before {
		t.Errorf("%d admissions, then %d", before, after)
	}
	if _, err := w.dryRun(t.Context(), w.kube, pod("plain", "init", "n3")); err != nil {
		t.Error(err)
	}
	if after := r.admissions(t); after == before {
		t.Error("a pod with networks did not come to the webhook either")
	}
}

// With no webhook, failurePolicy says what becomes of pods with networks and of those
// that ask; others are made as ever.
func TestWebhookDown(t *testing.T) {
	w := need(t)
	w.make(t, "plain", nil)
	ways := []struct {
		name string
		down func(*testing.T, *replica)
	}{
		{"no endpoint", func(t *testing.T, r *replica) { w.routes(t); r.terminate(t) }},
		{"crashed, not yet noticed", func(_ *testing.T, r *replica) { _ = r.stop(syscall.SIGKILL, endPatience) }},
	}
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			way.down(t, w.serve(t, 1)[0])
			create := func(mode, networks string) (*corev1.Pod, error) {
				return w.kube.CoreV1().Pods("plain").Create(t.Context(), pod("plain", mode, networks), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			}
			w.policy(t, admissionregistrationv1.Fail)
			for _, p := range [][2]string{{"sidecar", "n3"}, {"", "n3"}, {"sidecar", ""}} {
				err := until(patience, func() error { return failed(create(p[0], p[1])) })
				if err != nil {
					t.Error(p, err)
				}
			}
			if _, err := create("", ""); err != nil {
				t.Errorf("a pod without networks: %v", err)
			}
			w.policy(t, admissionregistrationv1.Ignore)
			err := until(patience, func() error { _, err := create("sidecar", "n3"); return err })
			if err != nil {
				t.Error(err)
			}
		})
	}
	w.serve(t, 1) // and it comes back
}

// failed is an error unless the creation of a pod failed for want of the webhook.
func failed(p *corev1.Pod, err error) error {
	if err != nil && strings.Contains(err.Error(), "failed calling webhook") {
		return nil
	}
	return &unexpected{p, err}
}

type unexpected struct {
	pod *corev1.Pod
	err error
}

func (u *unexpected) Error() string {
	if u.err != nil {
		return u.err.Error()
	}
	return "the pod was made, with init containers " + strings.Join(initNames(u.pod), ", ")
}

func (w *world) policy(t *testing.T, p admissionregistrationv1.FailurePolicyType) {
	t.Helper()
	w.configure(t, func(c *admissionregistrationv1.MutatingWebhookConfiguration) {
		for i := range c.Webhooks {
			c.Webhooks[i].FailurePolicy = &p
		}
	})
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/inject"
)

// What is refused, the client is told in the webhook's own words.
func TestRefused(t *testing.T) {
	w := need(t)
	w.serve(t, 1)
	w.make(t, "plain", nil)
	host := pod("plain", "sidecar", "n3")
	host.Spec.HostNetwork = true
	taken := pod("plain", "sidecar", "n3")
	taken.Spec.Containers[0].Name = inject.ContainerName
	cases := []struct {
		name string
		pod  *corev1.Pod
		says []string
	}{
		{"mode", pod("plain", "sidcar", "n3"), []string{inject.KeyInject, "sidcar", `did you mean "sidecar"?`}},
		{"annotation", with(pod("plain", "init", "n3"), inject.Prefix+"floating-ip", "10.0.1.50"), []string{"did you mean " + inject.KeyFloatingIPs + "?"}},
		{"floating IP", with(pod("plain", "sidecar", "n3"), inject.KeyFloatingIPs, "10.0.1.500"), []string{`"10.0.1.500"`, "no address"}},
		{"host network", host, []string{"hostNetwork"}},
		{"name taken", taken, []string{inject.ContainerName}},
		{"networks", pod("plain", "sidecar", "[{"), []string{inject.NetworksKey}},
		{"two faults", with(pod("plain", "sidcar", "n3"), inject.KeyRelease, "sometimes"), []string{"sidcar", "sometimes", "; "}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := w.kube.CoreV1().Pods("plain").Create(t.Context(), c.pod, metav1.CreateOptions{})
			status, ok := err.(apierrors.APIStatus)
			if !ok {
				t.Fatalf("not refused: %v", err)
			}
			for _, s := range append(c.says, "denied the request") {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
			if got := status.Status(); got.Code != http.StatusUnprocessableEntity || got.Reason != metav1.StatusReasonInvalid {
				t.Errorf("status %d %s", got.Code, got.Reason)
			}
		})
	}
}

// Warnings come to the client, as kubectl shows them, each in full.
func TestWarned(t *testing.T) {
	w := need(t)
	w.serve(t, 1)
	w.make(t, "plain", nil)
	w.network(t, "plain", "mac", "macvlan", nil)
	cases := []struct {
		name string
		pod  *corev1.Pod
		says string
	}{
		{"network missing", pod("plain", "sidecar", "nowhere"), "plain/nowhere does not exist"},
		{"network dropped", pod("plain", "sidecar", "mac"), "use ipvlan"},
		{"interface unknown", with(pod("plain", "sidecar", "n3"), inject.KeyInterfaces, "net7"), "the registrar waits for it"},
		{"init with floating IPs", with(pod("plain", "init", "n3"), inject.KeyFloatingIPs, "10.0.1.50"), `use "sidecar"`},
		{"no networks, asked", pod("plain", "sidecar", ""), "it has no annotation " + inject.NetworksKey},
		{"no networks, refused to ask", pod("plain", "false", ""), ""},
		{"nothing to warn of", pod("plain", "sidecar", "n3"), ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			kube, l := w.listening(t)
			if _, err := kube.CoreV1().Pods("plain").Create(t.Context(), c.pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}); err != nil {
				t.Fatal(err)
			}
			if c.says == "" {
				if len(l.heard) > 0 {
					t.Errorf("warned: %q", l.heard)
				}
				return
			}
			if !slices.ContainsFunc(l.heard, func(s string) bool {
				return strings.HasPrefix(s, "multus-ip-registrar: ") && strings.Contains(s, c.says)
			}) {
				t.Errorf("%q does not say %q", l.heard, c.says)
			}
		})
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func configuration() *admissionregistrationv1.MutatingWebhookConfiguration {
	return &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "registrar"},
		Webhooks: []admissionregistrationv1.MutatingWebhook{
			{Name: "pods.multus-ip-registrar.io"},
			{Name: "others.multus-ip-registrar.io", ClientConfig: admissionregistrationv1.WebhookClientConfig{CABundle: []byte("old")}},
		},
	}
}

func manager(c *fake.Clientset) *Manager {
	return &Manager{
		Secrets: c.CoreV1().Secrets("system"), SecretName: "certs",
		Configurations: c.AdmissionregistrationV1().MutatingWebhookConfigurations(), ConfigurationName: "registrar",
		Policy: policy(), Pair: &Pair{}, Log: quiet(),
	}
}

func bundles(t *testing.T, c *fake.Clientset) [][]byte {
	t.Helper()
	cfg, err := c.AdmissionregistrationV1().MutatingWebhookConfigurations().Get(t.Context(), "registrar", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for _, w := range cfg.Webhooks {
		out = append(out, w.ClientConfig.CABundle)
	}
	return out
}

// TestReplicasAgree: two replicas on an empty namespace come to serve the same
// certificate, and its authority is in every webhook.
func TestReplicasAgree(t *testing.T) {
	c := fake.NewClientset(configuration())
	a, b := manager(c), manager(c)
	for _, m := range []*Manager{a, b, a} {
		if err := m.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	x, _ := a.Pair.Get(nil)
	y, _ := b.Pair.Get(nil)
	if !bytes.Equal(x.Certificate[0], y.Certificate[0]) || !a.Ready() || !b.Ready() {
		t.Error("they serve different certificates")
	}
	secret, err := c.CoreV1().Secrets("system").Get(t.Context(), "certs", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range bundles(t, c) {
		if !bytes.Equal(got, secret.Data[secretCAs]) {
			t.Errorf("webhook %d has another bundle", i)
		}
	}
	n := len(c.Actions())
	if err := a.Sync(t.Context()); err != nil || len(c.Actions()) != n+2 {
		t.Errorf("a round without work makes %d calls, %v", len(c.Actions())-n, err)
	}
}

// TestWhoLosesTheRaceServesTheWinners: the write is refused, nothing of one's own
// is served or made known, and the next round takes over what is there.
func TestWhoLosesTheRaceServesTheWinners(t *testing.T) {
	c := fake.NewClientset(configuration(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "certs", Namespace: "system"}})
	loser, winner := manager(c), manager(c)
	var once sync.Once
	c.PrependReactor("update", "secrets", func(clienttesting.Action) (bool, runtime.Object, error) {
		lost := false
		once.Do(func() { lost = true })
		if !lost {
			return false, nil, nil
		}
		return true, nil, apierrors.NewConflict(schema.GroupResource{Resource: "secrets"}, "certs", nil)
	})
	if err := loser.Sync(t.Context()); !apierrors.IsConflict(err) || loser.Ready() || !loser.Pair.Expiry().IsZero() {
		t.Fatalf("the loser: %v, ready %v", err, loser.Ready())
	}
	if got := bundles(t, c); len(got[0]) > 0 {
		t.Error("the loser made its authority known")
	}
	for _, m := range []*Manager{winner, loser} {
		if err := m.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if !loser.Pair.Expiry().Equal(winner.Pair.Expiry()) {
		t.Error("they serve different certificates")
	}
}

// TestAnEmptiedBundleIsMendedAtOnce: Helm may empty it in an upgrade.
func TestAnEmptiedBundleIsMendedAtOnce(t *testing.T) {
	c := fake.NewClientset(configuration())
	m := manager(c)
	patched := make(chan struct{}, 10)
	c.PrependReactor("patch", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		patched <- struct{}{}
		return false, nil, nil
	})
	watching := make(chan struct{}, 10)
	c.PrependWatchReactor("*", func(a clienttesting.Action) (bool, watch.Interface, error) {
		w, err := c.Tracker().Watch(a.GetResource(), a.GetNamespace())
		watching <- struct{}{}
		return true, w, err
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- m.Run(ctx) }()
	<-patched
	<-watching
	if _, err := c.AdmissionregistrationV1().MutatingWebhookConfigurations().Update(ctx, configuration(), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-patched:
	case <-time.After(10 * time.Second):
		t.Error("it stays empty")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestManagerTellsWhatIsMissing(t *testing.T) {
	m := manager(fake.NewClientset())
	if err := m.Sync(t.Context()); !apierrors.IsNotFound(err) || m.Ready() {
		t.Errorf("without a configuration: %v", err)
	}
	if _, err := m.Pair.Config().GetCertificate(&tls.ClientHelloInfo{}); err == nil {
		t.Error("it serves a certificate that nobody trusts")
	}
}

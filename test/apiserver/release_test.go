// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
)

// TestRelease is the life of an installation with each Helm: install, test, upgrade
// under load, roll back, another source of certificates, uninstall.
func TestRelease(t *testing.T) {
	w := need(t)
	t.Cleanup(func() {
		w.must(t, usualHelm, "install", release, chart, "--set", usualValues)
		if err := w.look(); err != nil {
			t.Error(err)
		}
	})
	w.must(t, usualHelm, "uninstall", release)
	for _, major := range helms {
		t.Run("helm "+major, func(t *testing.T) { w.release(t, major) })
	}
}

func (w *world) release(t *testing.T, major string) {
	w.put(t, nil)
	w.make(t, "settled", nil)
	before := w.everything(t)
	w.must(t, major, "install", release, chart, "--set", usualValues)
	w.relook(t)
	replicas := w.serve(t, 2)
	secret, bundle := w.secret(), w.configuration(t).Webhooks[0].ClientConfig.CABundle

	w.succeeds(t, major)

	l := w.load(t)
	w.must(t, major, "upgrade", release, chart, "--reset-then-reuse-values", "--set", "webhook.timeoutSeconds=7,logLevel=debug")
	w.relook(t)
	if got := *w.installed.configuration.Webhooks[0].TimeoutSeconds; got != 7 || w.flagValue("log-level", "") != "debug" {
		t.Errorf("the upgrade changed nothing: timeout %d s, arguments %v", got, w.installed.deployment.Spec.Template.Spec.Containers[0].Args)
	}
	w.announced(t, bundle)
	w.must(t, major, "rollback", release, "1")
	w.relook(t)
	if got := *w.installed.configuration.Webhooks[0].TimeoutSeconds; got != 10 {
		t.Errorf("after the roll back the timeout is %d s", got)
	}
	time.Sleep(time.Second)
	w.announced(t, bundle)
	l.end(t)

	// The way out of a webhook that does not work, and back.
	err := w.kube.AdmissionregistrationV1().MutatingWebhookConfigurations().Delete(t.Context(), release, metav1.DeleteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.must(t, major, "upgrade", release, chart, "--reset-then-reuse-values")
	w.announced(t, bundle)

	w.ownCertificate(t, major, replicas)

	w.must(t, major, "uninstall", release)
	for _, o := range w.everything(t) {
		// The Secret was the webhook's own, which the notes say; the endpoints are
		// this test's.
		own := o == "secrets "+system+"/"+secret || strings.HasPrefix(o, "endpoints")
		if !slices.Contains(before, o) && !own {
			t.Errorf("helm uninstall leaves %s", o)
		}
	}
}

// succeeds runs helm test, which leaves nothing.
func (w *world) succeeds(t *testing.T, major string) {
	t.Helper()
	before := w.everything(t)
	defer w.kubelet(t)()
	out := w.must(t, major, "test", release, "--timeout", "60s")
	if !strings.Contains(out, "Succeeded") {
		t.Errorf("helm test says\n%s", out)
	}
	for _, o := range w.everything(t) {
		if !slices.Contains(before, o) && !strings.HasPrefix(o, "secrets "+system+"/sh.helm.release") {
			t.Errorf("helm test leaves %s", o)
		}
	}
}

// ownCertificate goes over to a certificate of the user's, under load, as
// docs/upgrade.md says: both authorities are trusted until the old replicas are gone.
func (w *world) ownCertificate(t *testing.T, major string, old []*replica) {
	t.Helper()
	ref := w.installed.service()
	ca := authority(t, "somebody's authority", time.Hour, 24*time.Hour)
	m := &mount{dir: t.TempDir()}
	cert, key := ca.issue(t, []string{ref.Name + "." + ref.Namespace + ".svc"}, time.Hour, time.Hour)
	m.replace(t, map[string][]byte{"tls.crt": cert, "tls.key": key})
	both := slices.Concat(w.configuration(t).Webhooks[0].ClientConfig.CABundle, ca.cert)
	change := func(bundle []byte, more ...string) (string, error) {
		return w.helm(major, append([]string{"upgrade", release, chart, "--reset-then-reuse-values",
			"--set", "certificates.mode=secret,certificates.secret.name=mine", "--set-string", "certificates.secret.caBundle=" + string(bundle)}, more...)...)
	}

	l := w.load(t)
	var force []string
	if major == "4" { // the field is the old replicas'
		if out, err := change(both); err == nil || !strings.Contains(out, "clientConfig.caBundle") {
			t.Errorf("helm 4 takes the CA bundle from the webhook without being told to: %s", out)
		}
		force = []string{"--force-conflicts"}
	}
	if _, err := change(both, force...); err != nil {
		t.Fatal(err)
	}
	w.relook(t)
	fresh := []*replica{w.replica(t, "--cert-dir="+m.dir), w.replica(t, "--cert-dir="+m.dir)}
	w.routes(t, slices.Concat(old, fresh)...)
	time.Sleep(time.Second)
	w.announced(t, both) // the old ones leave it alone
	w.routes(t, fresh...)
	time.Sleep(time.Second)
	if _, err := change(ca.cert); err != nil {
		t.Fatal(err)
	}
	w.announced(t, ca.cert)
	time.Sleep(time.Second)
	l.end(t)
	for _, r := range old {
		r.terminate(t)
	}

	// And back: Helm takes its bundle away, and the first new replica puts its own.
	w.must(t, major, "upgrade", release, chart, "--reset-then-reuse-values", "--set", "certificates.mode=self")
	w.relook(t)
	w.serve(t, 1)
}

func (w *world) must(t *testing.T, major string, args ...string) string {
	t.Helper()
	out, err := w.helm(major, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (w *world) relook(t *testing.T) {
	t.Helper()
	if err := w.look(); err != nil {
		t.Fatal(err)
	}
}

// everything is the name of every object that the API server has, of each kind that
// can be listed, but for events and leases, which come and go.
func (w *world) everything(t *testing.T) []string {
	t.Helper()
	lists, err := w.kube.Discovery().ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	client, err := dynamic.NewForConfig(w.admin)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, l := range discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"list", "delete"}}, lists) {
		group, err := schema.ParseGroupVersion(l.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range l.APIResources {
			if r.Name == "events" || r.Name == "leases" {
				continue
			}
			objects, err := client.Resource(group.WithResource(r.Name)).List(context.Background(), metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range objects.Items {
				out = append(out, fmt.Sprintf("%s %s/%s", r.Name, o.GetNamespace(), o.GetName()))
			}
		}
	}
	return out
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	nadfake "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/client/clientset/versioned/fake"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
	fakediscovery "k8s.io/client-go/discovery/fake"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/inject"
)

// A running is a webhook on this machine, with a cluster of fakes.
type running struct {
	t        testing.TB
	web, ops string
	kube     *fake.Clientset
	nads     *nadfake.Clientset
	stop     context.CancelFunc
	ended    chan error
}

// start runs a webhook and waits until it is ready.
func start(t testing.TB, kube *fake.Clientset, nads *nadfake.Clientset, change ...func(*settings)) *running {
	t.Helper()
	s := &settings{
		certificates: "self", namespace: "system", service: "registrar", secret: "certs", configuration: "registrar",
		nativeSidecars: "auto", image: "registry.example/registrar:1", logLevel: "info", address: ":0", opsAddress: ":0",
		drain: 300 * time.Millisecond, shutdown: 5 * time.Second,
	}
	for _, c := range change {
		c(s)
	}
	if faults := s.check(); len(faults) > 0 {
		t.Fatal(faults)
	}
	kube.Discovery().(*fakediscovery.FakeDiscovery).FakedServerVersion = &version.Info{Major: "1", Minor: "33+"}
	a, err := s.app(kube, nads, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	web, ops := listen(), listen()
	ctx, stop := context.WithCancel(context.Background())
	r := &running{t: t, web: web.Addr().String(), ops: ops.Addr().String(), kube: kube, nads: nads, stop: stop, ended: make(chan error, 1)}
	go func() { r.ended <- a.run(ctx, web, ops) }()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if code, _ := r.get("/readyz"); code == http.StatusOK {
			return r
		}
		if time.Now().After(deadline) {
			_, why := r.get("/readyz")
			t.Fatalf("not ready: %s", why)
		}
	}
}

func (r *running) get(path string) (int, string) {
	resp, err := http.Get("http://" + r.ops + path)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

// end stops it and waits.
func (r *running) end() {
	r.t.Helper()
	r.stop()
	if err := <-r.ended; err != nil {
		r.t.Error(err)
	}
}

// client trusts what the webhook's configuration says, as an API server does.
func (r *running) client() *http.Client {
	r.t.Helper()
	cfg, err := r.kube.AdmissionregistrationV1().MutatingWebhookConfigurations().Get(r.t.Context(), "registrar", metav1.GetOptions{})
	if err != nil {
		r.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(cfg.Webhooks[0].ClientConfig.CABundle) {
		r.t.Fatal("there is no CA bundle in the configuration")
	}
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "registrar.system.svc"}, ForceAttemptHTTP2: true,
	}}
}

func world() (*fake.Clientset, *nadfake.Clientset) {
	kube := fake.NewClientset(
		&admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "registrar"}, Webhooks: []admissionregistrationv1.MutatingWebhook{{Name: "pods.x"}}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "upf", Labels: map[string]string{inject.KeyInject: "sidecar"}}},
	)
	nads := nadfake.NewSimpleClientset()
	nad := &nadv1.NetworkAttachmentDefinition{ObjectMeta: metav1.ObjectMeta{Name: "n3", Namespace: "upf"}, Spec: nadv1.NetworkAttachmentDefinitionSpec{Config: `{"type":"ipvlan"}`}}
	// The fake would guess the plural as networkattachmentdefinitions.
	if err := nads.Tracker().Create(nadv1.SchemeGroupVersion.WithResource("network-attachment-definitions"), nad, "upf"); err != nil {
		panic(err)
	}
	return kube, nads
}

func reviewOf(namespace, networks string) string {
	return fmt.Sprintf(`{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"1","resource":{"group":"","version":"v1","resource":"pods"},"namespace":%q,"operation":"CREATE",
	 "object":{"metadata":{"generateName":"upf-","annotations":{%q:%q}},"spec":{"containers":[{"name":"upf"}]}}}}`, namespace, inject.NetworksKey, networks)
}

func send(c *http.Client, address, body string) (*admissionv1.AdmissionResponse, error) {
	resp, err := c.Post("https://"+address+"/inject?timeout=10s", "application/json", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	var r admissionv1.AdmissionReview
	if err := json.Unmarshal(raw, &r); err != nil || r.Response == nil {
		return nil, fmt.Errorf("%s: %s", resp.Status, raw)
	}
	return r.Response, nil
}

// TestFromNothingToAnInjectedPod: an empty namespace, and the API server's view.
func TestFromNothingToAnInjectedPod(t *testing.T) {
	r := start(t, first(world()), second(world()))
	defer r.end()
	c := r.client()
	got, err := send(c, r.web, reviewOf("upf", "n3"))
	if err != nil {
		t.Fatal(err)
	}
	if !got.Allowed || !bytes.Contains(got.Patch, []byte(`"restartPolicy":"Always"`)) || len(got.Warnings) > 0 {
		t.Errorf("%s %v", got.Patch, got.Warnings)
	}
	// What came after the caches were filled is asked for.
	late := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "late", Labels: map[string]string{inject.KeyInject: "init"}}}
	if err := r.kube.Tracker().Add(late); err != nil {
		t.Fatal(err)
	}
	got, err = send(c, r.web, reviewOf("late", "n9"))
	if err != nil || !bytes.Contains(got.Patch, []byte(`"args":["init"]`)) || len(got.Warnings) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err = send(c, r.web, reviewOf("unknown", "n3")); err != nil || !got.Allowed || got.Patch != nil {
		t.Errorf("%+v, %v", got, err)
	}
	_, text := r.get("/metrics")
	for _, want := range []string{
		`multus_ip_registrar_webhook_admissions_total{outcome="injected",reason="Requested"} 2`,
		`multus_ip_registrar_webhook_admissions_total{outcome="skipped",reason="NotRequested"} 1`,
		`multus_ip_registrar_webhook_admission_duration_seconds_count{outcome="injected"} 2`,
		`multus_ip_registrar_webhook_certificate_expiry_timestamp_seconds 1.`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %s:\n%s", want, text)
		}
	}
	if code, _ := r.get("/healthz"); code != http.StatusOK {
		t.Errorf("/healthz says %d", code)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	r := start(t, first(world()), second(world()))
	defer r.end()
	for name, cfg := range map[string]*tls.Config{
		"TLS 1.1":               {MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
		"no forward secrecy":    {MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}},
		"no authenticated mode": {MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}},
	} {
		cfg.InsecureSkipVerify = true
		if c, err := tls.Dial("tcp", r.web, cfg); err == nil {
			_ = c.Close()
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestTheDrainLosesNoRequest: two replicas under load, one of them ends. Clients
// leave it when /readyz says no, as endpoints do, a bit late.
func TestTheDrainLosesNoRequest(t *testing.T) {
	kube, nads := world()
	a, b := start(t, kube, nads), start(t, kube, nads)
	defer b.end()
	var target atomic.Pointer[running]
	target.Store(a)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var sent, lost, sentToA atomic.Int64
	for range 4 {
		c := a.client()
		wg.Go(func() {
			for ctx.Err() == nil {
				r := target.Load()
				got, err := send(c, r.web, reviewOf("upf", "n3"))
				if err != nil || !got.Allowed || got.Patch == nil {
					lost.Add(1)
					t.Log(err)
				}
				sent.Add(1)
				if r == a {
					sentToA.Add(1)
				}
			}
		})
	}
	until := func(n int64) {
		for sent.Load() < n {
			time.Sleep(time.Millisecond)
		}
	}
	until(100)
	a.stop()
	for {
		if code, _ := a.get("/readyz"); code != http.StatusOK {
			break
		}
	}
	before := sentToA.Load()
	time.Sleep(100 * time.Millisecond) // the endpoint's way to the API server
	target.Store(b)
	if err := <-a.ended; err != nil {
		t.Error(err)
	}
	until(sent.Load() + 100)
	cancel()
	wg.Wait()
	if lost.Load() > 0 || sentToA.Load() == before {
		t.Errorf("%d of %d requests were lost, %d came in the drain", lost.Load(), sent.Load(), sentToA.Load()-before)
	}
}

func first[A, B any](a A, _ B) A  { return a }
func second[A, B any](_ A, b B) B { return b }

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
)

// review is a review of a pod's creation, as the API server sends it.
func review(pod []byte) []byte {
	return fmt.Appendf(nil, `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002",
	 "kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},"requestKind":{"group":"","version":"v1","kind":"Pod"},
	 "name":"upf-0","namespace":"upf","operation":"CREATE","userInfo":{"username":"system:serviceaccount:kube-system:statefulset-controller","groups":["system:authenticated"]},
	 "object":%s,"oldObject":null,"dryRun":false,"options":{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1"}}}`, pod)
}

// seen is what a handler's observer was told.
type seen struct {
	outcome Outcome
	reason  Reason
}

func handler(c Cluster) (*Handler, *[]seen, *bytes.Buffer) {
	var log bytes.Buffer
	all := &[]seen{}
	return &Handler{
		Cluster: c, NativeSidecars: func() bool { return true }, Defaults: defaults(),
		Log:     slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Observe: func(o Outcome, r Reason, _ time.Duration) { *all = append(*all, seen{o, r}) },
	}, all, &log
}

func post(h http.Handler, kind string, body io.Reader) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/inject", body)
	r.Header.Set("Content-Type", kind)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func answer(t *testing.T, w *httptest.ResponseRecorder) *admissionv1.AdmissionResponse {
	t.Helper()
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s: %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	var r admissionv1.AdmissionReview
	d := json.NewDecoder(w.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if r.APIVersion != "admission.k8s.io/v1" || r.Kind != "AdmissionReview" || r.Request != nil || r.Response.UID != "705ab4f5-6393-11e8-b7cc-42010a800002" {
		t.Errorf("the envelope: %+v", r)
	}
	return r.Response
}

func TestHandlerInjects(t *testing.T) {
	h, all, log := handler(benchWorld())
	raw := benchPod(jsonForm)
	r := answer(t, post(h, "application/json; charset=utf-8", bytes.NewReader(review(raw))))
	if !r.Allowed || r.PatchType == nil || *r.PatchType != admissionv1.PatchTypeJSONPatch || r.Result != nil || len(r.Warnings) > 0 {
		t.Errorf("%+v", r)
	}
	var ops []Operation
	if err := json.Unmarshal(r.Patch, &ops); err != nil {
		t.Fatal(err)
	}
	checkPatched(t, benchWorld(), raw, ops)
	if len(*all) != 1 || (*all)[0] != (seen{OutcomeInjected, ReasonRequested}) {
		t.Errorf("observed %v", *all)
	}
	for _, want := range []string{`"msg":"pod reviewed"`, `"outcome":"injected"`, `"reason":"Requested"`, `"namespace":"upf"`, `"pod":"upf-0"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s: %s", want, log)
		}
	}
	if strings.Count(log.String(), "\n") != 1 {
		t.Errorf("more than one line: %s", log)
	}
}

func TestHandlerRefusesWithASentence(t *testing.T) {
	h, _, _ := handler(&world{})
	pod := `{"metadata":{"name":"p","annotations":{"` + KeyInject + `":"sidecr"}},"spec":{}}`
	r := answer(t, post(h, "application/json", strings.NewReader(string(review([]byte(pod))))))
	if r.Allowed || r.Patch != nil || r.PatchType != nil || r.Result.Code != http.StatusUnprocessableEntity || !strings.Contains(r.Result.Message, `did you mean "sidecar"?`) {
		t.Errorf("%+v", r)
	}
	if r.AuditAnnotations["reason"] != string(ReasonBadValue) {
		t.Errorf("audit annotations %v", r.AuditAnnotations)
	}
}

func TestHandlerWarns(t *testing.T) {
	h, _, _ := handler(&world{})
	pod := `{"metadata":{"name":"p","annotations":{"` + KeyInject + `":"sidecar","` + NetworksKey + `":"n3"}},"spec":{}}`
	r := answer(t, post(h, "application/json", bytes.NewReader(review([]byte(pod)))))
	if !r.Allowed || len(r.Warnings) != 1 || !strings.HasPrefix(r.Warnings[0], "multus-ip-registrar: NetworkAttachmentDefinition upf/n3 does not exist") {
		t.Errorf("%+v", r)
	}
}

// TestHandlerLeavesTheAuditToTheLastWord: each key is taken once for a pod, and where a
// later webhook adds the networks there is a second call.
func TestHandlerLeavesTheAuditToTheLastWord(t *testing.T) {
	h, all, _ := handler(&world{})
	pod := `{"metadata":{"name":"p","annotations":{"` + KeyInject + `":"sidecar"}},"spec":{}}`
	r := answer(t, post(h, "application/json", bytes.NewReader(review([]byte(pod)))))
	if !r.Allowed || len(r.AuditAnnotations) > 0 || len(r.Warnings) != 1 || (*all)[0] != (seen{OutcomeSkipped, ReasonNoNetworks}) {
		t.Errorf("%+v, observed %v", r, *all)
	}
}

// TestHandlerLeavesTheRestAlone: what the rules of a configuration may send and
// is no creation of a pod.
func TestHandlerLeavesTheRestAlone(t *testing.T) {
	h, all, _ := handler(&world{})
	raw := string(review(benchPod(shortForm)))
	for _, change := range [][2]string{
		{`"operation":"CREATE"`, `"operation":"UPDATE"`},
		{`"operation":"CREATE"`, `"operation":"DELETE"`},
		{`"resource":"pods"`, `"resource":"deployments"`},
		{`"namespace":"upf","operation"`, `"namespace":"upf","subResource":"ephemeralcontainers","operation"`},
	} {
		r := answer(t, post(h, "application/json", strings.NewReader(strings.Replace(raw, change[0], change[1], 1))))
		if !r.Allowed || r.Patch != nil {
			t.Errorf("%s: %+v", change[1], r)
		}
	}
	for _, s := range *all {
		if s != (seen{OutcomeSkipped, ReasonNotAPodCreation}) {
			t.Errorf("observed %v", s)
		}
	}
}

func TestHandlerAnswersWhatIsNoReview(t *testing.T) {
	good := string(review(benchPod(shortForm)))
	for _, tt := range []struct {
		name, method, kind, body string
		code                     int
		says                     string
	}{
		{"another method", "GET", "application/json", "", 405, "POST"},
		{"no content type", "POST", "", good, 415, "application/json"},
		{"another content type", "POST", "application/yaml", good, 415, "application/json"},
		{"empty", "POST", "application/json", "", 400, "malformed"},
		{"no JSON", "POST", "application/json", "kind: x", 400, "malformed"},
		{"another version", "POST", "application/json", strings.Replace(good, "admission.k8s.io/v1", "admission.k8s.io/v1beta1", 1), 400, "v1beta1"},
		{"another kind", "POST", "application/json", strings.Replace(good, "AdmissionReview", "Pod", 1), 400, "malformed"},
		{"no request", "POST", "application/json", `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}`, 400, "no request"},
		{"no uid", "POST", "application/json", strings.Replace(good, "705ab4f5-6393-11e8-b7cc-42010a800002", "", 1), 400, "no uid"},
		{"no pod", "POST", "application/json", string(review([]byte(`{"metadata":{}}`))), 400, "no spec"},
		{"a pod of another form", "POST", "application/json", string(review([]byte(`{"metadata":[],"spec":{}}`))), 400, "parse the pod"},
		{"too large", "POST", "application/json", `{"x":"` + strings.Repeat("x", MaxBody) + `"}`, 413, "larger than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, all, _ := handler(&world{})
			r := httptest.NewRequest(tt.method, "/inject", strings.NewReader(tt.body))
			r.Header.Set("Content-Type", tt.kind)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.code || !strings.Contains(w.Body.String(), tt.says) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if len(*all) != 1 || (*all)[0] != (seen{OutcomeFailed, ReasonMalformed}) {
				t.Errorf("observed %v", *all)
			}
		})
	}
}

// away is a cluster that does not answer.
type away struct{}

var errAway = errors.New("connection refused")

func (away) NamespaceLabels(context.Context, string) (map[string]string, error) { return nil, errAway }
func (away) Network(context.Context, string, string) (Network, error)           { return Network{}, errAway }

// TestHandlerLeavesFailuresToThePolicy: no answer of the cluster is no denial.
func TestHandlerLeavesFailuresToThePolicy(t *testing.T) {
	h, all, _ := handler(away{})
	for _, pod := range []string{
		`{"metadata":{"annotations":{"` + NetworksKey + `":"n3"}},"spec":{}}`,
		`{"metadata":{},"spec":{}}`,
	} {
		w := post(h, "application/json", bytes.NewReader(review([]byte(pod))))
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "connection refused") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if (*all)[1] != (seen{OutcomeFailed, ReasonClusterUnavailable}) {
		t.Errorf("observed %v", *all)
	}
}

// TestHandlerNeedsNoClusterForAPodThatSpeaks: what the pod says itself is enough, with
// a warning where it matters.
func TestHandlerNeedsNoClusterForAPodThatSpeaks(t *testing.T) {
	h, _, _ := handler(away{})
	for _, inject := range []string{"sidecar", "false"} {
		pod := `{"metadata":{"annotations":{"` + KeyInject + `":"` + inject + `","` + NetworksKey + `":"n3"}},"spec":{}}`
		r := answer(t, post(h, "application/json", bytes.NewReader(review([]byte(pod)))))
		if !r.Allowed || (r.Patch != nil) != (inject == "sidecar") || (len(r.Warnings) == 1) != (inject == "sidecar") {
			t.Errorf("%s: %+v", inject, r)
		}
	}
}

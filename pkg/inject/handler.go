// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"time"
)

// A Handler answers admission.k8s.io/v1 reviews of pods. It keeps nothing
// between two requests and may serve any number of them at once; of large ones,
// see read, some wait for others.
type Handler struct {
	// Cluster is asked about namespaces and networks.
	Cluster Cluster
	// NativeSidecars says whether the cluster has them; it may change.
	NativeSidecars func() bool
	// Defaults must have passed Check.
	Defaults Defaults
	// Log gets one line for each decision; nil for none.
	Log *slog.Logger
	// Observe gets each decision with the time it took; nil for none.
	Observe func(Outcome, Reason, time.Duration)

	large budget // of the bodies of large reviews
}

// ServeHTTP answers one review. What is no review gets a status from 400 to 415.
// Where the cluster does not answer, or there is no memory for it, it is 503: then
// the failurePolicy of the webhook's configuration decides, which a denial would
// take out of its hands.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	if code, err := acceptable(r); err != nil {
		h.fail(w, start, code, ReasonMalformed, err)
		return
	}
	body, release, err := h.read(w, r)
	defer release()
	if err != nil {
		code, reason := http.StatusBadRequest, ReasonMalformed
		var large *http.MaxBytesError
		switch {
		case errors.As(err, &large):
			code, err = http.StatusRequestEntityTooLarge, fmt.Errorf("the review is larger than %d bytes", MaxBody)
		case errors.Is(err, errBusy):
			code, reason = http.StatusServiceUnavailable, ReasonBusy
		}
		h.fail(w, start, code, reason, fmt.Errorf("read the review: %w", err))
		return
	}
	request, err := parseReview(body)
	if err != nil {
		h.fail(w, start, http.StatusBadRequest, ReasonMalformed, err)
		return
	}
	d, ops, err := h.decide(r.Context(), request)
	if err != nil {
		code, reason := http.StatusServiceUnavailable, ReasonClusterUnavailable
		if errors.Is(err, errMalformed) {
			code, reason = http.StatusBadRequest, ReasonMalformed
		}
		h.fail(w, start, code, reason, err)
		return
	}
	raw, err := respond(request.UID, d, ops)
	if err != nil {
		h.fail(w, start, http.StatusInternalServerError, ReasonMalformed, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	// What the API server does not take any more is its own affair.
	_, _ = w.Write(raw)
	h.done(request, d, time.Since(start))
}

// decide answers a request, which may be about something else than a new pod:
// then it is allowed, as the rules of a configuration are the user's.
func (h *Handler) decide(ctx context.Context, q *request) (Decision, []Operation, error) {
	if q.Resource.Group != "" || q.Resource.Resource != "pods" || q.SubResource != "" || q.Operation != "CREATE" {
		return skip(ReasonNotAPodCreation, "it is no creation of a pod"), nil, nil
	}
	pod, err := ParsePod(q.Object)
	if err != nil {
		return Decision{}, nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	q.pod = first(pod.Metadata.Name, pod.Metadata.GenerateName)
	facts, err := gather(ctx, h.Cluster, pod, q.Namespace, h.NativeSidecars())
	if err != nil {
		return Decision{}, nil, err
	}
	d := Decide(facts)
	ops, err := Patch(pod, d, h.Defaults)
	return d, ops, err
}

// acceptable looks at a request before its body is read.
func acceptable(r *http.Request) (int, error) {
	if r.Method != http.MethodPost {
		return http.StatusMethodNotAllowed, fmt.Errorf("the method is %s: reviews come by POST", r.Method)
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return http.StatusUnsupportedMediaType, fmt.Errorf("the content type is %q: reviews are application/json", r.Header.Get("Content-Type"))
	}
	return 0, nil
}

func (h *Handler) fail(w http.ResponseWriter, start time.Time, code int, reason Reason, err error) {
	if code == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	http.Error(w, err.Error(), code)
	if h.Observe != nil {
		h.Observe(OutcomeFailed, reason, time.Since(start))
	}
	if h.Log != nil {
		h.Log.Error("review not answered", "reason", string(reason), "code", code, "error", err.Error())
	}
}

// done logs and counts a decision. Pods that nobody wants injected are many, and
// of interest only to who looks for one.
func (h *Handler) done(q *request, d Decision, took time.Duration) {
	if h.Observe != nil {
		h.Observe(d.Outcome, d.Reason, took)
	}
	if h.Log == nil {
		return
	}
	level := slog.LevelInfo
	if d.Outcome == OutcomeSkipped && len(d.Warnings) == 0 {
		level = slog.LevelDebug
	}
	h.Log.Log(context.Background(), level, "pod reviewed",
		"outcome", string(d.Outcome), "reason", string(d.Reason), "message", d.Message,
		"namespace", q.Namespace, "pod", q.pod, "mode", string(d.Mode), "source", d.Source,
		"warnings", reasons(d.Warnings), "dryRun", q.DryRun, "uid", q.UID, "took", took.String())
}

func reasons(list []Finding) []Reason {
	out := make([]Reason, len(list))
	for i, f := range list {
		out[i] = f.Reason
	}
	return out
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	k8sjson "sigs.k8s.io/json"
)

// errMalformed marks what the sender of a review has to mend.
var errMalformed = errors.New("malformed review")

const (
	reviewVersion = "admission.k8s.io/v1"
	reviewKind    = "AdmissionReview"
)

// A request is what is read of a review's request.
type request struct {
	UID         string                      `json:"uid"`
	Resource    metav1.GroupVersionResource `json:"resource"`
	SubResource string                      `json:"subResource"`
	Namespace   string                      `json:"namespace"`
	Operation   string                      `json:"operation"`
	Object      json.RawMessage             `json:"object"`
	DryRun      bool                        `json:"dryRun"`

	pod string // name, or its beginning
}

func parseReview(raw []byte) (*request, error) {
	var review struct {
		APIVersion string   `json:"apiVersion"`
		Kind       string   `json:"kind"`
		Request    *request `json:"request"`
	}
	if err := k8sjson.UnmarshalCaseSensitivePreserveInts(raw, &review); err != nil {
		return nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	if review.APIVersion != reviewVersion || review.Kind != reviewKind {
		return nil, fmt.Errorf("%w: it is %q of %q: %s of %s is answered", errMalformed, review.Kind, review.APIVersion, reviewKind, reviewVersion)
	}
	if review.Request == nil || review.Request.UID == "" {
		return nil, fmt.Errorf("%w: it has no request or no uid", errMalformed)
	}
	return review.Request, nil
}

// respond writes the review that answers a request.
func respond(uid string, d Decision, ops []Operation) ([]byte, error) {
	response := &admissionv1.AdmissionResponse{
		UID: types.UID(uid), Allowed: d.Outcome != OutcomeRefused,
	}
	// The API server puts the webhook's name before the keys. It takes each once,
	// and complains in its log of others: what a second call for the same pod
	// finds is not what became of the pod. Nor is that it has no networks, which a
	// later webhook may add.
	if d.Reason != ReasonAlreadyInjected && d.Reason != ReasonNoNetworks {
		response.AuditAnnotations = map[string]string{"outcome": string(d.Outcome), "reason": string(d.Reason)}
	}
	for _, w := range d.Warnings {
		response.Warnings = append(response.Warnings, "multus-ip-registrar: "+w.Message)
	}
	if !response.Allowed {
		response.Result = &metav1.Status{
			Status: metav1.StatusFailure, Message: d.Message,
			Reason: metav1.StatusReasonInvalid, Code: http.StatusUnprocessableEntity,
		}
	}
	if len(ops) > 0 {
		patch, err := json.Marshal(ops)
		if err != nil {
			return nil, fmt.Errorf("write the patch: %w", err)
		}
		kind := admissionv1.PatchTypeJSONPatch
		response.Patch, response.PatchType = patch, &kind
	}
	raw, err := json.Marshal(admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: reviewVersion, Kind: reviewKind}, Response: response,
	})
	if err != nil {
		return nil, fmt.Errorf("write the review: %w", err)
	}
	return raw, nil
}

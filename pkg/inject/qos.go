// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
)

// An amount is the text of a quantity, which may come as a JSON number.
type amount string

// UnmarshalJSON keeps the text; what it means is asked for rarely.
func (a *amount) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, (*string)(a))
	}
	if string(raw) != "null" {
		*a = amount(raw)
	}
	return nil
}

func (a amount) equal(b amount) bool {
	if a == b {
		return true
	}
	x, err := parseQuantity(string(a))
	if err != nil {
		return false
	}
	y, err := parseQuantity(string(b))
	return err == nil && x.Cmp(y) == 0
}

func (a amount) zero() bool {
	q, err := parseQuantity(string(a))
	return err != nil || q.Sign() <= 0
}

// guaranteed says whether the pod's class depends on our container's CPU limit:
// each of its containers has limits equal to its requests, so that a UPF keeps
// the cores that the static CPU manager gave it. One container without a CPU
// limit would make the pod Burstable and take them away. Where the pod itself
// has resources, those alone make its class.
// Source: Kubernetes, "Pod Quality of Service Classes".
func (s *Spec) guaranteed() bool {
	if s.Resources != nil || len(s.Containers) == 0 {
		return false
	}
	for _, list := range [2][]Container{s.InitContainers, s.Containers} {
		for i := range list {
			if !list[i].Resources.guaranteed() {
				return false
			}
		}
	}
	return true
}

func (r *Requirements) guaranteed() bool {
	for _, name := range [2]string{"cpu", "memory"} {
		limit, ok := r.Limits[name]
		if !ok || limit.zero() {
			return false
		}
		if request, ok := r.Requests[name]; ok && !request.equal(limit) {
			return false
		}
	}
	return true
}

// shared are the resources that the pod names for all of its containers together. The
// API server has completed them by now: what the pod left open it requests as much as
// the containers do, without ours, and is refused once they request more.
// Source: k8s.io/kubernetes, defaultPodRequests and validatePodResourceConsistency.
func (s *Spec) shared() []corev1.ResourceName {
	if s.Resources == nil {
		return nil
	}
	var out []corev1.ResourceName
	for _, name := range [2]corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		_, limited := s.Resources.Limits[string(name)]
		_, requested := s.Resources.Requests[string(name)]
		if limited || requested {
			out = append(out, name)
		}
	}
	return out
}

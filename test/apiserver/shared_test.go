// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/inject"
)

func amounts(cpu, memory string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
}

// A pod with resources of its own, whose requests the API server completes to those of
// its containers, is made: ours has none. Before 1.34 the API server drops them.
func TestPodsThatShareTheirResources(t *testing.T) {
	w := need(t)
	w.serve(t, 1)
	w.make(t, "plain", nil)
	sharing := func(pairs ...string) *corev1.Pod {
		p := with(pod("plain", "sidecar", "n3"), pairs...)
		p.Spec.Resources = &corev1.ResourceRequirements{Limits: amounts("4", "8Gi")}
		p.Spec.Containers[0].Resources.Requests = amounts("1", "1Gi")
		return p
	}
	made := w.create(t, sharing())
	r := container(made)
	if r == nil {
		t.Fatalf("init containers are %v", initNames(made))
	}
	shares := made.Spec.Resources != nil
	if shares && made.Spec.Resources.Requests.Memory().Cmp(resource.MustParse("1Gi")) != 0 {
		t.Errorf("the pod requests %v: not what its containers do", made.Spec.Resources.Requests)
	}
	if none := len(r.Resources.Requests)+len(r.Resources.Limits) == 0; none != shares {
		t.Errorf("the pod has %v, its registrar %v", made.Spec.Resources, r.Resources)
	}

	roomy := sharing(inject.KeyResources, "cpu=20m,memory=32Mi")
	roomy.Spec.Resources.Requests = amounts("2", "2Gi")
	made = w.create(t, roomy)
	if r := container(made); r == nil || r.Resources.Requests.Cpu().String() != "20m" || r.Resources.Limits.Memory().String() != "32Mi" {
		t.Errorf("with an annotation the registrar is %v", r)
	}
}

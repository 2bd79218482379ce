// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"path/filepath"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// examples are applied in this order, as a user would.
var examples = []string{"namespace.yaml", "identity/irsa.yaml", "networks/*.yaml", "*.yaml", "keepalived/*.yaml"}

// Every pod of every example is admitted and injected, without a warning. Pods of
// workloads are made as their controllers make them.
func TestExamples(t *testing.T) {
	w := need(t)
	w.serve(t, 1)
	pods := 0
	for _, pattern := range examples {
		files, err := filepath.Glob(filepath.Join(root, "examples", "multus", pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("examples %s: %v %v", pattern, files, err)
		}
		for _, file := range files {
			objects, err := w.apply(file)
			if err != nil {
				t.Error(err)
			}
			for _, o := range objects {
				p := exampled(t, o)
				if p == nil {
					continue
				}
				pods++
				t.Run(filepath.Base(file)+"/"+o.GetKind()+"/"+o.GetName(), func(t *testing.T) { w.example(t, p) })
			}
		}
	}
	if pods == 0 {
		t.Error("the examples have no pods")
	}
}

// exampled is an object's pod, before injection; nil where it has none.
func exampled(t *testing.T, o *unstructured.Unstructured) *corev1.Pod {
	t.Helper()
	var template corev1.PodTemplateSpec
	read := func(into any) {
		t.Helper()
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, into); err != nil {
			t.Fatal(err)
		}
	}
	switch o.GetKind() {
	case "Deployment":
		var d appsv1.Deployment
		read(&d)
		template = d.Spec.Template
	case "StatefulSet":
		var s appsv1.StatefulSet
		read(&s)
		template = s.Spec.Template
	case "Pod":
		var p corev1.Pod
		read(&p)
		return &p
	default:
		return nil
	}
	template.ObjectMeta.Namespace, template.ObjectMeta.GenerateName = o.GetNamespace(), o.GetName()+"-"
	return &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
}

func (w *world) example(t *testing.T, p *corev1.Pod) {
	t.Helper()
	if p.Name != "" { // it was made when its file was applied
		made, err := w.kube.CoreV1().Pods(p.Namespace).Get(t.Context(), p.Name, metav1.GetOptions{})
		if err != nil || container(made) == nil {
			t.Errorf("pod %s is not injected: %v, init containers %v", p.Name, err, initNames(made))
		}
		return
	}
	kube, l := w.listening(t)
	made, err := w.dryRun(t.Context(), kube, p)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(initNames(made)[1:], initNames(p)) {
		t.Errorf("init containers are %v, and were %v", initNames(made), initNames(p))
	}
	if len(l.heard) > 0 {
		t.Errorf("warned: %q", l.heard)
	}
}

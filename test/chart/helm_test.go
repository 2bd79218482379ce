// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

const (
	root  = "../.."
	chart = root + "/charts/multus-ip-registrar"
	// The release of all renderings.
	release   = "net"
	namespace = "network-system"
	fullname  = release + "-multus-ip-registrar"
	// kubernetes is the version that Helm is told, as EKS writes it.
	kubernetes = "v1.31.2-eks-7f9249a"
)

var majors = []string{"3", "4"}

// helmPaths builds or finds each Helm once.
var helmPaths = map[string]func() (string, error){
	"3": sync.OnceValues(func() (string, error) { return helmPath("3") }),
	"4": sync.OnceValues(func() (string, error) { return helmPath("4") }),
}

func helmPath(major string) (string, error) {
	var stderr bytes.Buffer
	c := exec.Command(root+"/scripts/helm.sh", major)
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("scripts/helm.sh %s: %w\n%s", major, err, &stderr)
	}
	return strings.TrimSpace(string(out)), nil
}

// helm runs Helm and returns what it prints, and its error.
func helm(t *testing.T, major string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	if err := inputs(); err != nil {
		t.Fatal(err)
	}
	path, err := helmPaths[major]()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	c := exec.CommandContext(t.Context(), path, args...)
	c.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home, "KUBECONFIG="+home+"/none")
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err = c.Run()
	return out.String(), errs.String(), err
}

// template renders the chart.
func template(t *testing.T, major string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	return helm(t, major, append([]string{"template", release, chart, "--namespace", namespace, "--kube-version", kubernetes}, args...)...)
}

// render is template, decoded: every document by the type that Kubernetes has for
// it, with no field that the type does not know.
func render(t *testing.T, major string, args ...string) []runtime.Object {
	t.Helper()
	out, errs, err := template(t, major, args...)
	if err != nil {
		t.Fatalf("helm %s template: %v\n%s", major, err, errs)
	}
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var objects []runtime.Object
	for doc := range strings.SplitSeq("\n"+out, "\n---") {
		var raw map[string]any
		if err := yaml.UnmarshalStrict([]byte(doc), &raw); err != nil {
			t.Fatalf("helm %s: %v in\n%s", major, err, doc)
		}
		if len(raw) == 0 {
			continue
		}
		u := &unstructured.Unstructured{Object: raw}
		if !scheme.Scheme.Recognizes(u.GroupVersionKind()) {
			objects = append(objects, u)
			continue
		}
		o, _, err := decoder.Decode([]byte(doc), nil, nil)
		if err != nil {
			t.Fatalf("helm %s: %v in\n%s", major, err, doc)
		}
		objects = append(objects, o)
	}
	return objects
}

// valuesFiles are the cases that all tests look at.
func valuesFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/values/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no values: %v", err)
	}
	return files
}

// each runs a test for the objects of each values file.
func each(t *testing.T, f func(t *testing.T, objects []runtime.Object)) {
	for _, file := range valuesFiles(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) { f(t, render(t, "4", "-f", file)) })
	}
}

// all are the objects of a type.
func all[T runtime.Object](objects []runtime.Object) []T {
	var out []T
	for _, o := range objects {
		if x, ok := o.(T); ok {
			out = append(out, x)
		}
	}
	return out
}

// one is the only object of a type.
func one[T runtime.Object](t *testing.T, objects []runtime.Object) T {
	t.Helper()
	out := all[T](objects)
	if len(out) != 1 {
		t.Fatalf("%d objects of type %T, want 1", len(out), *new(T))
	}
	return out[0]
}

// custom are the objects of a kind that Kubernetes itself does not have.
func custom(objects []runtime.Object, kind string) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, u := range all[*unstructured.Unstructured](objects) {
		if u.GetKind() == kind {
			out = append(out, u)
		}
	}
	return out
}

func meta(t *testing.T, o runtime.Object) metav1.Object {
	t.Helper()
	m, ok := o.(metav1.Object)
	if !ok {
		t.Fatalf("%T has no metadata", o)
	}
	return m
}

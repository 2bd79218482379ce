// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/inject"
)

// What an API server may say to the pod of a check.
var (
	errNoEndpoint = apierrors.NewInternalError(errors.New(`failed calling webhook "check.multus-ip-registrar.io": no endpoints available`))
	errForbidden  = apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", errors.New("no role"))
)

// TestCheck: what is wrong is tried again until time is up, and told with its cure.
func TestCheck(t *testing.T) {
	native := func(p *corev1.Pod) { p.Spec.InitContainers = []corev1.Container{{Name: inject.ContainerName}} }
	plain := func(p *corev1.Pod) {
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: inject.ContainerName})
	}
	for _, tt := range []struct {
		name   string
		fails  []error // the first answers; then the pod is injected
		inject func(*corev1.Pod)
		tries  int
		want   string // of the error; empty for none
	}{
		{"injected", nil, native, 1, ""},
		{"injected before 1.29", nil, plain, 1, ""},
		{"just installed", []error{errForbidden, errNoEndpoint, errNoEndpoint}, native, 4, ""},
		{"never injected", nil, func(*corev1.Pod) {}, 10, "the API server did not ask the webhook"},
		{"no endpoint", slices.Repeat([]error{errNoEndpoint}, 100), native, 10, "no endpoints available"},
		{"no endpoint, then no answer", []error{errNoEndpoint, context.DeadlineExceeded}, native, 2, "no endpoints available"},
		{"no right", slices.Repeat([]error{errForbidden}, 100), native, 10, "right to create pods in namespace system"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kube, tries := fake.NewClientset(), 0
				kube.PrependReactor("create", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
					create := a.(clienttesting.CreateActionImpl)
					p := create.Object.(*corev1.Pod).DeepCopy()
					if !slices.Equal(create.CreateOptions.DryRun, []string{metav1.DryRunAll}) || p.Labels[checkLabel] == "" || create.Namespace != "system" {
						t.Errorf("it makes a pod: %+v", create)
					}
					if tries++; tries <= len(tt.fails) {
						if tt.fails[tries-1] == context.DeadlineExceeded {
							time.Sleep(time.Minute) // longer than there is
						}
						return true, nil, tt.fails[tries-1]
					}
					tt.inject(p)
					return true, p, nil
				})
				var out bytes.Buffer
				err := (&check{namespace: "system", timeout: 9500 * time.Millisecond}).run(t.Context(), kube, &out)
				if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%v", err)
				}
				if tries != tt.tries || (err == nil) != strings.HasPrefix(out.String(), "injected: ") {
					t.Errorf("%d tries, want %d; %q", tries, tt.tries, &out)
				}
			})
		})
	}
}

func TestCheckNeedsANamespace(t *testing.T) {
	code, _, errs := runWith(t, nil, "check", "--timeout=0s")
	if code != 2 || !strings.Contains(errs, "--namespace is empty") || !strings.Contains(errs, "--timeout is 0s") {
		t.Errorf("%d %s", code, errs)
	}
}

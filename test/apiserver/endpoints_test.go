// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
)

// routes says which replicas the Service has, as the controller of EndpointSlices
// does.
func (w *world) routes(t *testing.T, replicas ...*replica) {
	t.Helper()
	ref := w.installed.service()
	s, err := w.kube.CoreV1().Services(ref.Namespace).Get(t.Context(), ref.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	port := int32(443)
	if ref.Port != nil {
		port = *ref.Port
	}
	target, ready := int32(webPort), true
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: ref.Name + "-1", Labels: map[string]string{discoveryv1.LabelServiceName: ref.Name}},
		AddressType: discoveryv1.AddressTypeIPv4,
	}
	for _, p := range s.Spec.Ports {
		if p.Port == port {
			slice.Ports = []discoveryv1.EndpointPort{{Name: &p.Name, Port: &target}}
		}
	}
	if len(slice.Ports) == 0 {
		t.Fatalf("Service %s has no port %d, which the webhook configuration names", ref.Name, port)
	}
	for _, r := range replicas {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{r.address}, Conditions: discoveryv1.EndpointConditions{Ready: &ready},
		})
	}
	all := w.kube.DiscoveryV1().EndpointSlices(ref.Namespace)
	if _, err = all.Update(t.Context(), slice, metav1.UpdateOptions{}); apierrors.IsNotFound(err) {
		_, err = all.Create(t.Context(), slice, metav1.CreateOptions{})
	}
	if err == nil && !w.native {
		err = w.endpoints(t.Context(), slice, ref)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// endpoints says the same in the way that API servers before EndpointSlices look
// it up: 1.28 does for webhooks.
func (w *world) endpoints(ctx context.Context, slice *discoveryv1.EndpointSlice, ref *admissionregistrationv1.ServiceReference) error {
	//lint:ignore SA1019 what an old API server reads
	e := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Name: ref.Name}}
	//lint:ignore SA1019 likewise
	subset := corev1.EndpointSubset{Ports: []corev1.EndpointPort{{Name: *slice.Ports[0].Name, Port: *slice.Ports[0].Port}}}
	for _, one := range slice.Endpoints {
		subset.Addresses = append(subset.Addresses, corev1.EndpointAddress{IP: one.Addresses[0]})
	}
	if len(subset.Addresses) > 0 {
		e.Subsets = append(e.Subsets, subset)
	}
	all := w.kube.CoreV1().Endpoints(ref.Namespace)
	_, err := all.Update(ctx, e, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		_, err = all.Create(ctx, e, metav1.CreateOptions{})
	}
	return err
}

// serve starts n replicas, with more flags, and waits until the API server calls
// them.
func (w *world) serve(t *testing.T, n int, more ...string) []*replica {
	t.Helper()
	replicas := make([]*replica, n)
	for i := range replicas {
		replicas[i] = w.replica(t, more...)
	}
	w.routes(t, replicas...)
	w.settled(t)
	return replicas
}

// settled waits until pods are injected: the API server has to see the routes
// and the CA bundle.
func (w *world) settled(t *testing.T) {
	t.Helper()
	w.make(t, "settled", nil)
	err := until(10*time.Second, func() error {
		_, err := w.dryRun(t.Context(), w.kube, pod("settled", "sidecar", "n3"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// configure changes the webhook configuration, and puts it back after the test.
func (w *world) configure(t *testing.T, change func(*admissionregistrationv1.MutatingWebhookConfiguration)) {
	t.Helper()
	was := w.configuration(t)
	w.reconfigure(t, change)
	t.Cleanup(func() {
		w.reconfigure(t, func(c *admissionregistrationv1.MutatingWebhookConfiguration) {
			c.Annotations, c.Webhooks = was.Annotations, was.Webhooks
		})
	})
}

// reconfigure tries again where a replica was quicker.
func (w *world) reconfigure(t *testing.T, change func(*admissionregistrationv1.MutatingWebhookConfiguration)) {
	t.Helper()
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		c := w.configuration(t)
		change(c)
		_, err := w.kube.AdmissionregistrationV1().MutatingWebhookConfigurations().Update(context.Background(), c, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func (w *world) configuration(t *testing.T) *admissionregistrationv1.MutatingWebhookConfiguration {
	t.Helper()
	// Not the test's context, which ends before what is put back.
	c, err := w.kube.AdmissionregistrationV1().MutatingWebhookConfigurations().Get(context.Background(), w.installed.configuration.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// flagValue is what the Deployment gives a flag, or its default.
func (w *world) flagValue(flag, byDefault string) string {
	for _, a := range w.installed.deployment.Spec.Template.Spec.Containers[0].Args {
		if prefix := "--" + flag + "="; len(a) > len(prefix) && a[:len(prefix)] == prefix {
			return a[len(prefix):]
		}
	}
	return byDefault
}

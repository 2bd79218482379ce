// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/inject"
)

// make makes a namespace, with the network n3 of type ipvlan, unless it is there.
func (w *world) make(t *testing.T, name string, labels map[string]string) {
	t.Helper()
	if err := w.namespace(name, labels); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	w.network(t, name, "n3", "ipvlan", nil)
}

// network makes a network of a type, unless it is there.
func (w *world) network(t *testing.T, namespace, name, kind string, annotations map[string]string) {
	t.Helper()
	nad := &nadv1.NetworkAttachmentDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: annotations},
		Spec:       nadv1.NetworkAttachmentDefinitionSpec{Config: fmt.Sprintf(`{"cniVersion":"1.0.0","name":%q,"type":%q}`, name, kind)},
	}
	_, err := w.nads.K8sCniCncfIoV1().NetworkAttachmentDefinitions(namespace).Create(t.Context(), nad, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
}

// pod is one with an application; an empty mode or network is no annotation.
func pod(namespace, mode, networks string) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "upf-", Annotations: map[string]string{}},
		Spec: corev1.PodSpec{
			InitContainers: []corev1.Container{{Name: "prepare", Image: "registry.example/prepare:1"}},
			Containers:     []corev1.Container{{Name: "upf", Image: "registry.example/upf:1"}},
		},
	}
	for key, value := range map[string]string{inject.KeyInject: mode, inject.NetworksKey: networks} {
		if value != "" {
			p.Annotations[key] = value
		}
	}
	return p
}

// with adds annotations.
func with(p *corev1.Pod, keysAndValues ...string) *corev1.Pod {
	for pair := range slices.Chunk(keysAndValues, 2) {
		p.Annotations[pair[0]] = pair[1]
	}
	return p
}

// create makes a pod, and takes it away after the test.
func (w *world) create(t *testing.T, p *corev1.Pod) *corev1.Pod {
	t.Helper()
	made, err := w.kube.CoreV1().Pods(p.Namespace).Create(t.Context(), p, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		none := int64(0)
		err := w.kube.CoreV1().Pods(made.Namespace).Delete(context.Background(), made.Name, metav1.DeleteOptions{GracePeriodSeconds: &none})
		if err != nil {
			t.Error(err)
		}
	})
	read, err := w.kube.CoreV1().Pods(p.Namespace).Get(t.Context(), made.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// dryRun says what would become of a pod; one that is not injected is an error.
func (w *world) dryRun(ctx context.Context, kube kubernetes.Interface, p *corev1.Pod) (*corev1.Pod, error) {
	made, err := kube.CoreV1().Pods(p.Namespace).Create(ctx, p, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err == nil && container(made) == nil {
		err = fmt.Errorf("pod in %s is not injected: init containers %v", p.Namespace, initNames(made))
	}
	return made, err
}

// container is the registrar's; before native sidecars it may be a plain one.
func container(p *corev1.Pod) *corev1.Container {
	for _, list := range [2][]corev1.Container{p.Spec.InitContainers, p.Spec.Containers} {
		for i := range list {
			if list[i].Name == inject.ContainerName {
				return &list[i]
			}
		}
	}
	return nil
}

func initNames(p *corev1.Pod) []string { return names(p.Spec.InitContainers) }

func names(list []corev1.Container) []string {
	var out []string
	for _, c := range list {
		out = append(out, c.Name)
	}
	return out
}

// A listener keeps the warnings that the API server sends to a client.
type listener struct {
	mu    sync.Mutex
	heard []string
}

// HandleWarningHeader implements rest.WarningHandler.
func (l *listener) HandleWarningHeader(_ int, _, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, text)
}

// listening gives a client with a listener.
func (w *world) listening(t *testing.T) (kubernetes.Interface, *listener) {
	t.Helper()
	l := &listener{}
	cfg := rest.CopyConfig(w.admin)
	cfg.WarningHandler = l
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return kube, l
}

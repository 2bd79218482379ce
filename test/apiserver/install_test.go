// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
)

// system is the namespace that the webhook is installed in.
const system = "multus-ip-registrar"

// An installed is what the tests must know of the installation, as it was read
// from it.
type installed struct {
	configuration *admissionregistrationv1.MutatingWebhookConfiguration
	deployment    *appsv1.Deployment
}

// service is the Service that the API server calls.
func (i installed) service() *admissionregistrationv1.ServiceReference {
	return i.configuration.Webhooks[0].ClientConfig.Service
}

// install applies the definition of networks, and installs the chart as a user does.
func (w *world) install() error {
	if err := w.namespace(system, nil); err != nil {
		return err
	}
	if _, err := w.apply(filepath.Join(filepath.Dir(w.dir), networksFile)); err != nil {
		return err
	}
	err := until(startPatience, func() error {
		_, err := w.nads.K8sCniCncfIoV1().NetworkAttachmentDefinitions(system).List(context.Background(), metav1.ListOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("networks are not served: %w", err)
	}
	if err := w.adminFile(); err != nil {
		return err
	}
	if _, err := w.helm(usualHelm, "install", release, chart, "--set", usualValues); err != nil {
		return err
	}
	return w.look()
}

// look reads what is installed.
func (w *world) look() (err error) {
	ctx := context.Background()
	if w.installed.configuration, err = w.kube.AdmissionregistrationV1().MutatingWebhookConfigurations().Get(ctx, release, metav1.GetOptions{}); err != nil {
		return err
	}
	w.installed.deployment, err = w.kube.AppsV1().Deployments(system).Get(ctx, release, metav1.GetOptions{})
	return err
}

// apply applies each object of a file on the server's side, and gives what the
// server made of them. Of hooks and of kinds that are not served there is none.
func (w *world) apply(file string) ([]*unstructured.Unstructured, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	groups, err := restmapper.GetAPIGroupResources(w.kube.Discovery())
	if err != nil {
		return nil, err
	}
	mapper := restmapper.NewDiscoveryRESTMapper(groups)
	client, err := dynamic.NewForConfig(w.admin)
	if err != nil {
		return nil, err
	}
	var out []*unstructured.Unstructured
	for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096); ; {
		o := &unstructured.Unstructured{}
		if err := decoder.Decode(&o.Object); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		if len(o.Object) == 0 || o.GetAnnotations()["helm.sh/hook"] != "" {
			continue
		}
		kind := o.GroupVersionKind()
		mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if meta.IsNoMatchError(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var to dynamic.ResourceInterface = client.Resource(mapping.Resource)
		if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
			if o.GetNamespace() == "" {
				o.SetNamespace(system)
			}
			to = client.Resource(mapping.Resource).Namespace(o.GetNamespace())
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		applied, err := to.Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: "installation", Force: true})
		cancel()
		if err != nil {
			return nil, fmt.Errorf("apply %s %s: %w", kind.Kind, o.GetName(), err)
		}
		out = append(out, applied)
	}
}

// namespace makes one with the ServiceAccount that a controller would make.
func (w *world) namespace(name string, labels map[string]string) error {
	ctx := context.Background()
	n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	if _, err := w.kube.CoreV1().Namespaces().Create(ctx, n, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("make namespace %s: %w", name, err)
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
	_, err := w.kube.CoreV1().ServiceAccounts(name).Create(ctx, account, metav1.CreateOptions{})
	return err
}

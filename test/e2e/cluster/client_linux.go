// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// A client is the administrator, from within the VPC.
type client struct {
	kube    kubernetes.Interface
	dynamic dynamic.Interface
}

func (c *Cluster) connect() (client, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", c.internalKubeconfig())
	if err != nil {
		return client{}, err
	}
	cfg.QPS, cfg.WarningHandler = -1, rest.NoWarnings{}
	cfg.Dial = func(ctx context.Context, _, address string) (net.Conn, error) { return c.dial(ctx, address) }
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return client{}, err
	}
	d, err := dynamic.NewForConfig(cfg)
	return client{kube: kube, dynamic: d}, err
}

func (c client) ready(ctx context.Context) error {
	err := until(startPatience, func() error {
		return c.kube.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	})
	if err != nil {
		return fmt.Errorf("the API server is not ready: %w", err)
	}
	return nil
}

func (c client) nodeReady(ctx context.Context, name string) error {
	n, err := c.kube.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	for _, condition := range n.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			if condition.Status == corev1.ConditionTrue {
				return nil
			}
			return fmt.Errorf("node %s is not Ready: %s", name, condition.Message)
		}
	}
	return fmt.Errorf("node %s says nothing of being Ready", name)
}

// definitions are files with the CustomResourceDefinitions of Multus and
// whereabouts.
func (c *Cluster) definitions() []string {
	return []string{c.opts.NetworksDefinition, filepath.Join(c.opts.Programs, "whereabouts-crds.yaml")}
}

// define applies CustomResourceDefinitions.
func (c client) define(ctx context.Context, files []string) error {
	to := c.dynamic.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096); ; {
			o := &unstructured.Unstructured{}
			if err := decoder.Decode(&o.Object); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return fmt.Errorf("read %s: %w", file, err)
			}
			if len(o.Object) == 0 {
				continue
			}
			if _, err := to.Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: "e2e", Force: true}); err != nil {
				return fmt.Errorf("apply %s of %s: %w", o.GetName(), file, err)
			}
		}
	}
	return nil
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"fmt"
	"log/slog"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	nadclient "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/client/clientset/versioned"
	nadinformers "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/client/informers/externalversions"
	nadlisters "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/client/listers/k8s.cni.cncf.io/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/inject"
)

// A Cluster answers from caches, and asks the API server about what they do not
// have: a pod is often made right after its namespace or its network.
type Cluster struct {
	kube kubernetes.Interface
	nads nadclient.Interface
	log  *slog.Logger

	kubeFactory informers.SharedInformerFactory
	nadFactory  nadinformers.SharedInformerFactory

	namespaces       corelisters.NamespaceLister
	namespacesSynced cache.InformerSynced
	networks         nadlisters.NetworkAttachmentDefinitionLister
	networksSynced   cache.InformerSynced
}

// New makes a cluster; Run fills its caches.
func New(kube kubernetes.Interface, nads nadclient.Interface, log *slog.Logger) (*Cluster, error) {
	c := &Cluster{
		kube: kube, nads: nads, log: log,
		kubeFactory: informers.NewSharedInformerFactoryWithOptions(kube, 0, informers.WithTransform(slim)),
		nadFactory:  nadinformers.NewSharedInformerFactory(nads, 0),
	}
	namespaces := c.kubeFactory.Core().V1().Namespaces()
	networks := c.nadFactory.K8sCniCncfIo().V1().NetworkAttachmentDefinitions()
	if err := networks.Informer().SetTransform(slim); err != nil {
		return nil, fmt.Errorf("prepare the cache of networks: %w", err)
	}
	c.namespaces, c.namespacesSynced = namespaces.Lister(), namespaces.Informer().HasSynced
	c.networks, c.networksSynced = networks.Lister(), networks.Informer().HasSynced
	return c, nil
}

// slim drops what nobody here reads, which is most of what a cache would hold.
func slim(obj any) (any, error) {
	switch o := obj.(type) {
	case *corev1.Namespace:
		return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: o.Name, Labels: o.Labels, ResourceVersion: o.ResourceVersion}}, nil
	case *nadv1.NetworkAttachmentDefinition:
		o.ManagedFields = nil
	}
	return obj, nil
}

// Run follows the API server until ctx ends.
func (c *Cluster) Run(ctx context.Context) error {
	c.kubeFactory.Start(ctx.Done())
	c.nadFactory.Start(ctx.Done())
	<-ctx.Done()
	// The factory of networks, generated long ago, cannot be waited for.
	c.kubeFactory.Shutdown()
	return nil
}

// Ready says that the namespaces are known. The networks may lag behind, or never
// come where Multus is not installed: then they are asked for one by one.
func (c *Cluster) Ready() bool { return c.namespacesSynced() }

// NamespaceLabels implements inject.Cluster.
func (c *Cluster) NamespaceLabels(ctx context.Context, name string) (map[string]string, error) {
	n, err := c.namespaces.Get(name)
	if apierrors.IsNotFound(err) {
		n, err = c.kube.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	}
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return n.Labels, nil
}

// Network implements inject.Cluster.
func (c *Cluster) Network(ctx context.Context, namespace, name string) (inject.Network, error) {
	nad, err := c.networks.NetworkAttachmentDefinitions(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		nad, err = c.nads.K8sCniCncfIoV1().NetworkAttachmentDefinitions(namespace).Get(ctx, name, metav1.GetOptions{})
	}
	if apierrors.IsNotFound(err) {
		return inject.Network{}, nil
	}
	if err != nil {
		return inject.Network{}, err
	}
	return inject.ReadNetwork(nad), nil
}

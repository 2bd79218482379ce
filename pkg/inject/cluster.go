// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"context"
	"fmt"
	"time"
)

// askTimeout bounds all that a review asks together: an admission waits for it, and
// an API server waits for that 10 s by default.
const askTimeout = 2 * time.Second

// Cluster is what the handler asks about the world. An error means that it could
// not be found out in the context's time; what does not exist is no error. What can
// be told without a question is told whether the time is over or not.
type Cluster interface {
	// NamespaceLabels are the labels of a namespace.
	NamespaceLabels(ctx context.Context, name string) (map[string]string, error)
	// Network is a NetworkAttachmentDefinition; see ReadNetwork.
	Network(ctx context.Context, namespace, name string) (Network, error)
}

// gather collects the facts about a pod. Nothing is asked that the pod itself
// settles. Where the pod says what it wants, networks that cannot be looked up
// cost a warning only.
func gather(ctx context.Context, c Cluster, pod *Pod, namespace string, native bool) (Facts, error) {
	f := Facts{Pod: pod, Namespace: namespace, NativeSidecars: native}
	own, speaks := pod.Metadata.Annotations[KeyInject]
	_, injected := pod.Metadata.Annotations[KeyStatus]
	if pod.mirror() || injected || own == string(modeFalse) {
		return f, nil
	}
	f.Selections, f.NetworksError = ParseNetworks(pod.Metadata.Annotations[NetworksKey], namespace)
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	f.Networks = make([]Network, 0, len(f.Selections))
	for _, s := range f.Selections {
		n, err := c.Network(ctx, s.Namespace, s.Name)
		if err != nil && !speaks {
			return f, fmt.Errorf("look up NetworkAttachmentDefinition %s: %w", s, err)
		}
		if err != nil {
			n = Network{Unknown: true}
		}
		f.Networks = append(f.Networks, n)
	}
	if speaks {
		return f, nil
	}
	labels, err := c.NamespaceLabels(ctx, namespace)
	if err != nil {
		return f, fmt.Errorf("look up namespace %s: %w", namespace, err)
	}
	f.NamespaceInject = labels[KeyInject]
	return f, nil
}

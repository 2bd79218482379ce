// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package podinfo

import (
	"encoding/json"
	"fmt"
)

// NetworkStatusKey is the annotation in which Multus writes what it attached.
// Source: Kubernetes Network Custom Resource Definition De-facto Standard.
const NetworkStatusKey = "k8s.v1.cni.cncf.io/network-status"

// A Network is one attachment of the pod as Multus reports it.
type Network struct {
	// Name is the NetworkAttachmentDefinition, "namespace/name", or the name
	// of the default network's configuration.
	Name string `json:"name"`
	// Interface is the interface's name in the pod. For the default network
	// the Amazon VPC CNI reports one that the pod does not have ("dummy…").
	Interface string `json:"interface"`
	// Default says that this is the pod's cluster network.
	Default bool `json:"default"`
}

// ParseNetworkStatus reads the annotation's value; an empty one is no networks.
// Fields that it does not know are passed over: the form grows.
func ParseNetworkStatus(text string) ([]Network, error) {
	if text == "" {
		return nil, nil
	}
	var out []Network
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return nil, fmt.Errorf("parse %s: %w (a JSON list of networks is expected)", NetworkStatusKey, err)
	}
	return out, nil
}

// DefaultInterfaces are the names that the pod's cluster interface may have:
// eth0, and what network-status calls the default network.
func DefaultInterfaces(networks []Network) []string {
	names := []string{"eth0"}
	for _, n := range networks {
		if n.Default && n.Interface != "" && n.Interface != "eth0" {
			names = append(names, n.Interface)
		}
	}
	return names
}

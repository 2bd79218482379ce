// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"bytes"
	"encoding/json"
	"slices"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
)

// A Network is what injection knows of a NetworkAttachmentDefinition.
type Network struct {
	// Found is false where it does not exist, or is Unknown.
	Found bool
	// Unknown says that it could not be looked up.
	Unknown bool
	// Inject is the value of its annotation KeyInject; empty for none.
	Inject string
	// Types are the CNI plugins of its configuration, in their order; empty
	// where the configuration is a file on the worker.
	Types []string
	// DefaultRoute says that its IPAM section has a default route, which stays in
	// the pod's main table: the plugin sbr would move it into one of its own.
	DefaultRoute bool
}

// ReadNetwork takes from a NetworkAttachmentDefinition what injection needs. A
// configuration that cannot be read has no types: to judge it is Multus's job.
func ReadNetwork(nad *nadv1.NetworkAttachmentDefinition) Network {
	n := Network{Found: true, Inject: nad.Annotations[KeyInject]}
	type plugin struct {
		Type string       `json:"type"`
		IPAM defaultRoute `json:"ipam"`
	}
	var config struct {
		plugin
		Plugins []plugin `json:"plugins"`
	}
	if nad.Spec.Config == "" || json.Unmarshal([]byte(nad.Spec.Config), &config) != nil {
		return n
	}
	for _, p := range append([]plugin{config.plugin}, config.Plugins...) {
		if p.Type != "" {
			n.Types = append(n.Types, p.Type)
		}
		n.DefaultRoute = n.DefaultRoute || bool(p.IPAM)
	}
	n.DefaultRoute = n.DefaultRoute && !slices.Contains(n.Types, "sbr")
	return n
}

// defaultRoute says that an IPAM section has a default route. What is no such section
// has none: to judge it is the plugin's job.
type defaultRoute bool

// UnmarshalJSON never fails. Most sections have no such route, and are not decoded.
func (d *defaultRoute) UnmarshalJSON(b []byte) error {
	if !bytes.Contains(b, []byte(`/0"`)) {
		return nil
	}
	var section struct {
		Routes []struct {
			Destination string `json:"dst"`
		} `json:"routes"`
	}
	_ = json.Unmarshal(b, &section)
	for _, r := range section.Routes {
		*d = *d || r.Destination == "0.0.0.0/0" || r.Destination == "::/0"
	}
	return nil
}

// dropped is the first of the network's plugins whose frames EC2 drops: their
// interfaces have MAC addresses that EC2 does not know. Empty for none.
// Source: docs/aws-facts.md.
func (n Network) dropped() string {
	for _, t := range n.Types {
		if t == "macvlan" || t == "bridge" {
			return t
		}
	}
	return ""
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"encoding/json"
	"slices"
	"strings"

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
		Type string `json:"type"`
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
	}
	n.DefaultRoute = hasDefaultRoute(nad.Spec.Config) && !slices.Contains(n.Types, "sbr")
	return n
}

// hasDefaultRoute reads the IPAM sections of a configuration. Most have no such
// route, and are not read a second time. What is no section has no routes.
func hasDefaultRoute(text string) bool {
	if !strings.Contains(text, `"0.0.0.0/0"`) && !strings.Contains(text, `"::/0"`) {
		return false
	}
	type plugin struct {
		IPAM struct {
			Routes []struct {
				Destination string `json:"dst"`
			} `json:"routes"`
		} `json:"ipam"`
	}
	var config struct {
		plugin
		Plugins []plugin `json:"plugins"`
	}
	_ = json.Unmarshal([]byte(text), &config) // what fits is filled in
	for _, p := range append(config.Plugins, config.plugin) {
		for _, r := range p.IPAM.Routes {
			if r.Destination == "0.0.0.0/0" || r.Destination == "::/0" {
				return true
			}
		}
	}
	return false
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

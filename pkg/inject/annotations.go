// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import "strings"

// Prefix begins every annotation and label of the project.
const Prefix = "multus-ip-registrar.io/"

// The annotations. Keys tells what each may hold.
const (
	// KeyInject asks for the registrar, on a pod, a
	// NetworkAttachmentDefinition or, as a label, a namespace.
	KeyInject = Prefix + "inject"
	// KeyInterfaces restricts the registrar to some interfaces.
	KeyInterfaces = Prefix + "interfaces"
	// KeyFloatingIPs names the addresses that move between pods.
	KeyFloatingIPs = Prefix + "floating-ips"
	// KeyRouteTables names the route tables of floating IPs outside of the
	// ENI's subnet.
	KeyRouteTables = Prefix + "route-tables"
	// KeyRelease says whether addresses are given back.
	KeyRelease = Prefix + "release"
	// KeyLogLevel is the registrar's log level.
	KeyLogLevel = Prefix + "log-level"
	// KeyResources are the container's resources.
	KeyResources = Prefix + "resources"
	// KeyStatus is what was injected; the webhook writes it.
	KeyStatus = Prefix + "status"
)

// A Key describes an annotation, for the reference and for refusals.
type Key struct {
	// Name is the whole key.
	Name string
	// On says where it is read: pod, NetworkAttachmentDefinition, namespace.
	On string
	// Allowed says which values are, in a few words.
	Allowed string
	// Example is a value that is accepted; empty for status.
	Example string
	// Meaning is one line for the reference.
	Meaning string
}

// Keys lists every annotation, in the order of the reference.
func Keys() []Key {
	return []Key{
		{KeyInject, "pod; NetworkAttachmentDefinition (default for pods that attach to it); namespace, as a label (default for its pods)",
			"init, sidecar or false", "sidecar",
			"init: assign the addresses once before the application starts. sidecar: that, and follow them as long as the pod lives. Pod beats network beats namespace"},
		{KeyInterfaces, "pod", "interface names, separated by commas", "net1,net2",
			"look after these interfaces only, and wait until each has an address; default: all but the pod's default network"},
		{KeyFloatingIPs, "pod", "IP addresses or prefixes, separated by commas", "10.0.1.50,fd00:1::/120",
			"addresses that move between pods: they never wait behind others, and a rival is noticed within seconds"},
		{KeyRouteTables, "pod", "route table IDs (rtb-…), separated by commas", "rtb-0123456789abcdef0",
			"route tables in which floating IPs outside of the ENI's subnet are routes to the active pod's ENI"},
		{KeyRelease, "pod", "always or never", "never",
			"always: unassign an address when it goes and when the pod ends; never: leave it on the ENI. Default: always"},
		{KeyLogLevel, "pod", "debug, info, warn or error", "debug", "the registrar's log level"},
		{KeyResources, "pod", "cpu=QUANTITY and memory=QUANTITY (at least 16Mi), separated by a comma", "cpu=20m,memory=64Mi",
			"the container's requests; memory is its limit too, and cpu as well in pods of the Guaranteed class"},
		{KeyStatus, "pod", "nothing: the webhook writes it", "", "what was injected, as JSON"},
	}
}

// allowed is Keys' Allowed of a key.
func allowed(name string) string {
	for _, k := range Keys() {
		if k.Name == name {
			return k.Allowed
		}
	}
	return ""
}

// ours says whether an annotation is one of the project's.
func ours(key string) bool { return strings.HasPrefix(key, Prefix) }

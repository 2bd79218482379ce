// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package config is what the host tells a node, and how the node's agent is
// asked: what both programs must agree upon.
package config

import "net/netip"

// The places in the node.
const (
	// Share is the directory of the host that the node reads its files from and
	// writes its logs to.
	Share = "/run/share"
	// File is the Node's name there, as JSON.
	File = "node.json"
	// Networks is where the CNI configurations are, and where whereabouts looks
	// for its own.
	Networks = "/etc/cni/net.d"
	// ContainerdSocket is where containerd listens.
	ContainerdSocket = "/run/containerd/containerd.sock"
)

// The names of files in Share that the host writes.
const (
	ContainerdConfig = "containerd.toml"
	KubeletConfig    = "kubelet.yaml"
	Kubeconfig       = "kubelet.kubeconfig"
	Images           = "images.tar"
	NetworkFiles     = "net.d" // a directory
)

// Labels are what a node group gives its workers, and their zone: examples/multus
// selects by them.
const Labels = "multus=true,topology.kubernetes.io/zone=eu-west-1a"

// A Node is one worker.
type Node struct {
	// Name is the worker's, also in Kubernetes.
	Name string
	// Native is that it runs on the host's own kernel, in namespaces of its own.
	Native bool
	// Programs is the directory with kubelet, containerd and so on, which has
	// the CNI plugins in cni/.
	Programs string
	// Primary is the address of the first interface, Gateway its router.
	Primary netip.Prefix
	Gateway netip.Addr
}

// AgentPort is the agent's TCP port at the primary address.
//
//	POST /run        runs a Command in the node and answers with its Result
//	POST /stop/NAME  ends kubelet or containerd by SIGKILL, until it is started
//	POST /start/NAME starts it again
const AgentPort = 8901

// A Command is a program's path or name and its arguments.
type Command struct{ Args []string }

// A Result is how a Command ended.
type Result struct {
	// ExitCode is -1 where it could not be run or was killed.
	ExitCode int
	// Output is what it wrote, to both files.
	Output string
}

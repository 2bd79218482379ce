// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cluster runs a Kubernetes cluster on one machine: a control plane
// and workers with containerd, the kubelet and Multus, on the instances of an
// embedded VPC, which is all their network. Workers are User-Mode Linux guests,
// or native: on this machine's own kernel, where times are those of a real node.
package cluster

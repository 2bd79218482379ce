// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package apiserver tests the webhook with a real kube-apiserver and etcd: Helm
// installs the chart, the built program runs with the ServiceAccount's own rights,
// and pods are created and read back. Every test runs twice: with the newest
// Kubernetes, and with the oldest that the chart supports, which has no native
// sidecars.
//
// It all happens in a network namespace of its own. The replicas have addresses
// on its loopback interface, as pods have, and the API server finds them by the
// Service's EndpointSlice. The tests play those parts of a cluster that are not
// there: the kubelet that runs replicas, and the controller that takes them into
// the EndpointSlice.
//
// scripts/apiserver.sh provides both programs.
package apiserver

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package podinfo reads what Kubernetes and Multus tell a container of its pod,
// as text that came through the downward API.
package podinfo

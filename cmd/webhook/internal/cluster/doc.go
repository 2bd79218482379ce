// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cluster tells the webhook about namespaces, networks and the version of
// the cluster it serves, from caches that follow the API server.
package cluster

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package chart renders charts/multus-ip-registrar by real Helm, 3 and 4, and holds
// what comes out against what is promised of it: safety, rights, flags, alerts.
//
// Helm is built by scripts/helm.sh, promtool is Debian's; without them the tests
// fail. What an API server has to say is tested with one, elsewhere.
package chart

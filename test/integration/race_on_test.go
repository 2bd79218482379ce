// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build race

package integration

// buildArgs make the registrar watch itself for data races, too: it exits 66.
var buildArgs = []string{"-race"}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package integration

var buildArgs []string

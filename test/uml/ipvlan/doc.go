// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ipvlan has the tests that need a kernel with ipvlan, which is what
// pods on EKS have. They have the build tag guest, and run in User-Mode Linux:
// go test ./test/uml
package ipvlan

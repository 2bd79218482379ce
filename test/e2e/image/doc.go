// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package image writes container images as archives that "ctr images import"
// reads, without an engine, for tests.
package image

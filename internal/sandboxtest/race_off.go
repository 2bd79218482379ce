// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package sandboxtest

// Race says that the tests watch for data races, which makes them slow.
const Race = false

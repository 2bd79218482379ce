// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package state keeps the ledger's records in a file, so that a restarted
// container knows what EC2 has acknowledged (law 6).
package state

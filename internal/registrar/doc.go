// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package registrar runs the ledger of claims: it feeds it with snapshots of
// the kernel and answers of EC2 and IMDS, and does the work that it asks for.
//
// All decisions are the ledger's (internal/registrar/ledger); here are the one
// goroutine that owns it, the goroutines that wait for the network, and the
// end of it all.
package registrar

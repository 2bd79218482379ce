// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ledger keeps the account of claims: which address shall be on which
// ENI, what EC2 has acknowledged, and what is to be asked next.
//
// It is a pure state machine. Facts go in with the time at which they were
// learned (Observe, Inventoried, Described, Looked, Hinted, Heard, Done), work comes out
// (Next), and nothing here reads a clock, sleeps, calls or starts a goroutine.
// The laws of claims are kept here; each has its stories in testdata/stories.
package ledger

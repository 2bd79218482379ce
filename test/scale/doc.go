// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package scale plays a full restart and a zone failure of a large cluster in
// virtual time: the real ledger and the real EC2 client's logic of every pod
// against the model of EC2 with its token buckets. It tells how long it takes
// until all pods are routed, beside what the buckets allow.
//
// It is played in a synctest bubble, so it is a test: "make scale" has the large
// cluster.
package scale

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package eniassign makes EC2 deliver addresses to network interfaces (ENIs): as
// secondary addresses, or, outside of the VPC's blocks, by a route of their own.
//
// It answers five questions, each on its own: which ENIs this worker has
// (Client.Inventory), which of them lies below an address (Match), which EC2
// calls make what is held equal to what is wanted (Plan), what EC2 said to
// such a call (Client.Do, Reason), and who has an address now (Client.Holders,
// Client.Routes). When to call, and how often, is the
// caller's: nothing here retries a transient failure or sleeps for it. NewEC2
// and NewIMDS make clients that keep to that.
//
// What AWS does not document is survived either way, and marked "not
// documented" where it is decided.
package eniassign

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package netwatch tells which addresses the interfaces of one Linux network
// namespace have: once, or as a stream of snapshots.
//
// The kernel's notifications are only hints; every snapshot is a full listing,
// so a lost or doubled notification can delay nothing and falsify nothing.
// Nothing here needs a capability, and nothing here knows of Multus or EC2.
package netwatch

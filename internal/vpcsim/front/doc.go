// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package front is what lies between a client and the EC2 API and costs it
// time: the distance, and TLS with a certificate of its own.
//
// The distance is emulated on the way of the bytes, not of the requests, so
// that each handshake costs the round trips that it costs in a Region.
package front

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package certs keeps the webhook's serving certificate: from files that
// somebody else renews, or made, renewed and made known by itself.
//
// Neither way refuses a handshake: a renewed certificate replaces the old one
// between two handshakes, and a new authority is in the API server's hands for an
// hour before anything is signed by it. docs/adr/0006 has the reasons.
package certs

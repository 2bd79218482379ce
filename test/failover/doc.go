// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Command failover puts a pair of pods with Debian's keepalived and the built
// registrar, as examples/multus/keepalived has them, through everything that
// can go wrong in a failover, on the embedded VPC, and measures what a client
// of the floating IPs loses, and through whom. It prints a table and writes
// the figures as JSON and the timelines as SVG.
package main

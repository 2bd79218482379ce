// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package vswitch is the network of an embedded VPC: it hands every packet to
// the ENI that EC2's state says owns the destination, and to no other.
//
// It works on Ethernet frames and knows neither namespaces nor devices; a Port
// is whatever carries frames to and from a network card. Like a real VPC it
// answers ARP and neighbour solicitations itself, learns nothing from
// gratuitous ARP or unsolicited advertisements, drops what an ENI sends from
// an address that is not its own, and carries no broadcast and no multicast.
// It neither fragments nor counts down the TTL, as the VPC's router does not.
package vswitch

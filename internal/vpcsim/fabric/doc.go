// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package fabric gives the workers, pods and ENIs of an embedded VPC a body:
// network namespaces of this machine's kernel, joined by package vswitch.
//
// An ENI is a tap device in its worker's namespace. What the worker sends goes
// through the switch, which asks the VPC who owns the destination, so a packet
// arrives exactly when EC2's state says that it would. Pods are namespaces of
// their own: eth0 leads through the worker, as the VPC CNI has it, and the
// interfaces of Multus are ipvlan devices on the ENI, or taps of the same ENI
// where the kernel has no ipvlan. EC2 and IMDS are reached in a namespace
// called "aws", one IP hop further from a pod than from its worker.
//
// A worker can be a virtual machine that somebody else starts. Then its
// namespace is the host's side: a NIC is a tap device for each ENI, and EC2 and
// IMDS answer through the ENIs themselves.
//
// It needs root, or package sandbox.
package fabric

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package demo tells the story of the registrar on an embedded VPC: pods that
// cannot reach one another, the registrar, the same pods reaching one another,
// two failovers, and the end.
//
// Everything is real but AWS: the registrar is the built program in the pods'
// network namespaces, the packets go through the kernel, and each figure is
// measured where a client of the pods, or EC2, would see it. Each step is
// checked, and a story that does not go as told ends with an error.
package demo

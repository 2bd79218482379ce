// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package vpcsim runs an embedded VPC: the model of EC2, its EC2 and IMDS
// endpoints, and the network in which packets go where EC2's state says.
package vpcsim

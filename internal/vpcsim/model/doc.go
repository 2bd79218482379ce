// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package model is EC2 and its instance metadata for one embedded VPC: the
// state, and the rules by which calls change it.
//
// Every EC2 action is a method of VPC that takes and returns plain values; the
// HTTP servers in ec2api and imdsapi only translate. The data plane asks
// Deliver and Permits, whose answers follow the calls with the delay that the
// topology sets. Time is only read through package time and nothing runs in
// the background, so a VPC needs no closing and works in a synctest bubble.
//
// The rules are those that AWS documents or was seen to follow; where no
// source settles one, topology.Assumptions selects the outcome.
package model

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package netspace gives a run of a program named network namespaces that do
// not outlive it.
//
// A run claims a prefix, and its namespaces are called PREFIX-something below
// /run/netns, where "ip netns" finds them. A lock file below /run/vpcsim tells
// a living run from a dead one, and beside it stand the names that the run has
// taken, so that Sweep removes exactly what dead runs have left behind and
// nothing of anybody else.
package netspace

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cgroups makes the control group that a kubelet on this machine's own
// kernel has all its pods in, and removes it with everything below.
//
// It knows version 1, where each controller has a hierarchy of its own, and
// version 2. The node of the end-to-end tests was tried on version 1 only.
package cgroups

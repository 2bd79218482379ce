// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package uml runs a command under a kernel of its own: User-Mode Linux, which
// is a plain process, needs no right, and has the drivers that a cloud's
// kernel may lack, ipvlan above all.
//
// The command sees this machine's root file system read-only, with fresh
// /run, /tmp and /var/tmp, and is root there. It is for tests only.
package uml

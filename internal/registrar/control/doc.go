// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package control lets other processes of the container ask the running
// registrar how it stands: HTTP over a Unix socket in the state directory.
package control

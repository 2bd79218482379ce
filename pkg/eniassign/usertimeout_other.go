// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package eniassign

import "syscall"

// setUserTimeout does nothing where TCP_USER_TIMEOUT is not known.
func setUserTimeout(string, string, syscall.RawConn) error { return nil }

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package usernstest runs the tests of a package in a user and network namespace
// of their own, where they may do everything, whoever runs them, and where nobody
// else changes anything.
package usernstest

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cli is what the command lines of all programs have in common: exit
// codes, wrong usage, strict flags with environment variables, the version.
package cli

// The exit codes.
const (
	ExitDone   = 0
	ExitFailed = 1
	ExitUsage  = 2
)

// A UsageError marks an error that only another command line, or another
// file, can mend: exit code 2.
type UsageError struct{ Err error }

func (e UsageError) Error() string { return e.Err.Error() }

// Unwrap is what was wrong.
func (e UsageError) Unwrap() error { return e.Err }

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package job is what the host asks of the guest's init, and its answer: JSON
// files in a directory that both see.
package job

// The places in the guest.
const (
	// Directory is where the guest sees the directory with both files.
	Directory = "/run/uml"
	// Share is where the guest sees the directory that the caller shares.
	Share = "/run/share"
	// Output is the serial line for what the command writes.
	Output = "/dev/ttyS0"
)

// DirectoryVariable tells init the host's path of the directory with both
// files; it stands on the kernel's command line.
const DirectoryVariable = "uml_job"

// The names of the files.
const (
	RequestFile = "request.json"
	ResultFile  = "result.json"
)

// A Request is one command.
type Request struct {
	// Args are the program's path in the guest and its arguments.
	Args []string
	// Env is added to a small environment.
	Env []string
	// Dir is the working directory, "" for /tmp. Where the guest does not see
	// it, it is mounted.
	Dir string
	// Modules are the paths of kernel modules, in the order to load them.
	Modules []string
	// Share is a directory of the host that the guest may write to, or "".
	Share string
}

// A Result is how it ended.
type Result struct {
	// ExitCode is the command's own, 128 + n where signal n ended it.
	ExitCode int
	// Error is why the command could not be run, else "".
	Error string
}

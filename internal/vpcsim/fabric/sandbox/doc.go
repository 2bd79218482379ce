// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sandbox runs the current program once more in namespaces of its own:
// network, mount and process id, with an empty /run, and, where it is not
// root, a user namespace in which it is.
//
// When that process ends, however it ends, the kernel ends every process and
// removes every device inside.
package sandbox

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// release is set by the linker: -X PACKAGE.release=v1.2.3.
var release string

// Version is the release, or what the Go tool knows of the build.
func Version() string {
	if release != "" {
		return release
	}
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
		return b.Main.Version
	}
	return "unknown"
}

// VersionLine is what a program's command version prints.
func VersionLine(program string) string {
	return fmt.Sprintf("%s %s %s %s/%s", program, Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

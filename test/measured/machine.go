// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package measured

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// By is a sentence that says which command has measured, such as "make bench",
// and on what machine.
func By(command string) string {
	model := runtime.GOARCH
	if raw, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(raw)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("Measured by `%s` on %d CPUs (%s), Linux %s, %s.",
		command, runtime.NumCPU(), model, strings.TrimSpace(string(kernel)), runtime.Version())
}

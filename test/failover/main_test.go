// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/sandbox"
)

const (
	// binaryEnv names the registrar to test; without it one is built.
	binaryEnv = "REGISTRAR_BIN"
	program   = "github.com/multus-ip-registrar/multus-ip-registrar/cmd/registrar"
	// sideBySide is how many scenarios run side by side: most of their time is waiting.
	sideBySide = "4"
)

func TestMain(m *testing.M) {
	code, err := testAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// testAll builds the registrar outside of the sandbox and runs the tests inside.
func testAll(m *testing.M) (code int, err error) {
	if sandbox.Inside() {
		return sandbox.Run(sandbox.Options{}, func() int { return inside(m) })
	}
	if os.Getenv(binaryEnv) == "" {
		dir, err := os.MkdirTemp("", "failover-test-")
		if err != nil {
			return 1, err
		}
		defer os.RemoveAll(dir)
		path := filepath.Join(dir, "registrar")
		if out, err := exec.Command("go", "build", "-o", path, program).CombinedOutput(); err != nil {
			return 1, fmt.Errorf("build the registrar: %w\n%s", err, out)
		}
		if err := os.Setenv(binaryEnv, path); err != nil {
			return 1, err
		}
	}
	return sandbox.Run(sandbox.Options{}, func() int { return 1 })
}

func inside(m *testing.M) int {
	err := flag.Set("test.parallel", sideBySide) // -parallel overrides it
	if err == nil {
		if code := m.Run(); code != 0 {
			return code
		}
		err = goleak.Find()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

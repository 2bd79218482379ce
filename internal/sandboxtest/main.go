// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sandboxtest runs the tests of a package in a sandbox, so that the
// machine stays as it is and no root is needed.
package sandboxtest

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"

	"go.uber.org/goleak"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/sandbox"
)

// Options of Main.
type Options struct {
	// Parallel is how many tests run side by side, for tests that mostly wait;
	// -parallel overrides it. 0 leaves it to the testing package.
	Parallel int
	// Registrar provides the program for the tests: see the function Registrar.
	Registrar bool
	// RegistrarRace lets that program, too, watch itself for data races where the
	// tests do: it then exits 66.
	RegistrarRace bool
}

// Main runs the tests in a sandbox and returns the exit code for TestMain. A
// goroutine that is left at the end fails them.
func Main(m *testing.M, opts Options) int {
	code, err := run(m, opts)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func run(m *testing.M, opts Options) (code int, err error) {
	if !sandbox.Inside() && opts.Registrar {
		dir, err := os.MkdirTemp("", "registrar-test-")
		if err != nil {
			return 1, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		if err := provide(dir, opts.RegistrarRace && Race); err != nil {
			return 1, err
		}
	}
	if opts.Parallel > 0 {
		if err := flag.Set("test.parallel", strconv.Itoa(opts.Parallel)); err != nil {
			return 1, err
		}
	}
	return sandbox.Run(sandbox.Options{}, func() (code int) {
		goleak.VerifyTestMain(m, goleak.Cleanup(func(c int) { code = c }))
		return code
	})
}

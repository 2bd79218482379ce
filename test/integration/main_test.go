// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"errors"
	"flag"
	"fmt"
	"io"
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
	// ipvlanEnv=1 demands real ipvlan, where the fabric would do without.
	ipvlanEnv = "VPCSIM_REQUIRE_IPVLAN"
	// atOnce is how many tests run side by side: most of their time is waiting.
	atOnce = "8"
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// run builds the registrar outside of the sandbox and runs the tests inside.
func run(m *testing.M) (code int, err error) {
	if sandbox.Inside() {
		return sandbox.Run(sandbox.Options{}, func() int { return inside(m) })
	}
	dir, err := os.MkdirTemp("", "registrar-integration-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := provide(filepath.Join(dir, "registrar")); err != nil {
		return 1, err
	}
	return sandbox.Run(sandbox.Options{}, func() int { return 1 })
}

func inside(m *testing.M) int {
	err := flag.Set("test.parallel", atOnce) // -parallel overrides it
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

// provide puts the registrar at path, where nobody can run it and the sandbox
// has it, too.
func provide(path string) error {
	if err := os.Chmod(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if given := os.Getenv(binaryEnv); given != "" {
		if err := copyProgram(given, path); err != nil {
			return fmt.Errorf("copy the registrar that %s names: %w", binaryEnv, err)
		}
	} else {
		build := exec.Command("go", append(append([]string{"build"}, buildArgs...), "-o", path, program)...)
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build the registrar: %w\n%s", err, out)
		}
	}
	return os.Setenv(binaryEnv, path)
}

func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

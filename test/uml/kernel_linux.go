// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package uml

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// modulesDirectory is where Debian's and Ubuntu's package puts the modules, by
// kernel version, as seen from the program's directory.
const modulesDirectory = "../lib/uml/modules"

// installCommand is what to run where there is no User-Mode Linux.
const installCommand = "scripts/deps.sh test (or: apt-get install user-mode-linux)"

// A Kernel is an installed User-Mode Linux with the init for its guests.
type Kernel struct {
	// program is the kernel, modules the directory with its modules.dep.
	program, modules string
	// init is a static program, on a path that is the same in the guest.
	init string
}

// Require returns the installed kernel. Without one the test is skipped, with
// the command to run; where CI=true that is a failure.
func Require(t testing.TB) Kernel {
	t.Helper()
	init := filepath.Join(t.TempDir(), "init")
	k, err := Installed(init)
	if errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") != "true" {
		t.Skipf("%v: to run this test, first run %s", err, installCommand)
	}
	if err != nil {
		t.Fatalf("%v: run %s", err, installCommand)
	}
	build(t, "build", "-o", init, modulePath+"/test/uml/guestinit")
	return k
}

// Installed returns the installed kernel for guests whose init is a build of
// guestinit, for those who are no test. The error wraps exec.ErrNotFound where
// there is no kernel.
func Installed(init string) (Kernel, error) {
	program, err := exec.LookPath("linux.uml")
	if err != nil {
		return Kernel{}, fmt.Errorf("find User-Mode Linux: %w", err)
	}
	if program, err = filepath.EvalSymlinks(program); err != nil {
		return Kernel{}, err
	}
	version, err := exec.Command(program, "--version").Output()
	if err != nil {
		return Kernel{}, fmt.Errorf("ask %s for its version: %w", program, err)
	}
	k := Kernel{program: program, init: init, modules: filepath.Join(filepath.Dir(program), modulesDirectory, strings.TrimSpace(string(version)))}
	if _, err := os.Stat(filepath.Join(k.modules, "modules.dep")); err != nil {
		return Kernel{}, fmt.Errorf("find the kernel's modules: %w", err)
	}
	return k, nil
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package sandboxtest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	// registrarEnv names the registrar to test; without it one is built.
	registrarEnv = "REGISTRAR_BIN"
	program      = "github.com/multus-ip-registrar/multus-ip-registrar/cmd/registrar"
)

// Registrar is the path of a registrar that anybody in the sandbox can run: a
// copy of the one that REGISTRAR_BIN named outside, or one that was built.
func Registrar() string { return os.Getenv(registrarEnv) }

// provide puts the registrar into a directory.
func provide(dir string, race bool) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	path := filepath.Join(dir, "registrar")
	if given := Registrar(); given != "" {
		if err := copyProgram(given, path); err != nil {
			return fmt.Errorf("copy the registrar that %s names: %w", registrarEnv, err)
		}
	} else if out, err := exec.Command("go", "build", fmt.Sprintf("-race=%v", race), "-o", path, program).CombinedOutput(); err != nil {
		return fmt.Errorf("build the registrar: %w\n%s", err, out)
	}
	return os.Setenv(registrarEnv, path)
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

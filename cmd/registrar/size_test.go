// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestTheProgramStaysSmall: the linker leaves out the 700 actions of EC2 that are not
// called, unless anything in the program looks methods up by name. text/template
// does, which a call of cobra's Set…Template links in: 47 MB instead of 15, on each
// worker and for each start of a pod there.
func TestTheProgramStaysSmall(t *testing.T) {
	const most = 15_000_000
	file := filepath.Join(t.TempDir(), "registrar")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", file, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > most {
		t.Errorf("the program has %d bytes, %d at most: see go build -ldflags=-dumpdep for what looks methods up by name", info.Size(), most)
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package uml

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const (
	modulePath = "github.com/multus-ip-registrar/multus-ip-registrar"

	// guestTag is the build tag of test files that only make sense in a guest.
	guestTag = "guest"
)

// A Suite is the tests of one package of this module, for the guest.
type Suite struct {
	// Package is its path in the module, such as "test/uml/ipvlan".
	Package string
	// Programs are the paths in the module of commands that the tests run. The
	// guest finds "cmd/registrar" as /run/share/registrar: it cannot build any.
	Programs []string
	// Env is added to the tests' environment.
	Env []string
	// Args are further arguments of the test binary, such as "-test.run=Pod".
	Args []string
	// Share, KernelArgs, Directory and Start are as in Command. Share "" is a
	// temporary directory.
	Share      string
	KernelArgs []string
	Directory  string
	Start      func(kernel *exec.Cmd) error
	// Limit ends the guest, 0 for five minutes.
	Limit time.Duration
}

// Test runs the tests of the suite in the guest, built with the tag guest.
// What they write is logged. It fails if the guest's tests fail, if one is
// skipped, or if none ran.
func (k Kernel) Test(t testing.TB, s Suite) {
	t.Helper()
	share := s.Share
	if share == "" {
		share = t.TempDir()
	}
	build(t, "test", "-c", "-tags", guestTag, "-o", filepath.Join(share, "suite.test"), modulePath+"/"+s.Package)
	for _, program := range s.Programs {
		build(t, "build", "-o", filepath.Join(share, path.Base(program)), modulePath+"/"+program)
	}
	limit := cmp.Or(s.Limit, defaultLimit)
	var output bytes.Buffer
	code, err := k.Run(t.Context(), Command{
		// The tests' own limit, which tells where they hang, comes first.
		Args: append([]string{"/run/share/suite.test", "-test.v",
			"-test.timeout=" + (limit - limit/10).String()}, s.Args...),
		Env:   s.Env,
		Dir:   strings.TrimSpace(build(t, "list", "-f", "{{.Dir}}", modulePath+"/"+s.Package)),
		Share: share, KernelArgs: s.KernelArgs, Directory: s.Directory, Start: s.Start,
		Limit:  limit,
		Output: io.MultiWriter(&output, &prefixer{to: t.Output(), prefix: "guest: "}),
	})
	if err == nil {
		err = judge(code, output.Bytes())
	}
	if err != nil {
		t.Fatalf("tests of %s in the guest: %v", s.Package, err)
	}
}

// judge reads the output of a test binary with -test.v.
func judge(exitCode int, output []byte) error {
	passed := regexp.MustCompile(`(?m)^--- PASS: `).FindAll(output, -1)
	skipped := regexp.MustCompile(`(?m)^ *--- SKIP: (\S+)`).FindAllSubmatch(output, -1)
	switch {
	case exitCode != 0:
		return fmt.Errorf("exit code %d", exitCode)
	case len(skipped) > 0:
		return fmt.Errorf("%d skipped, %s first: the guest is where they must run", len(skipped), skipped[0][1])
	case len(passed) == 0:
		return errors.New("none ran")
	}
	return nil
}

// build runs the go command for a static Linux program and returns its output.
func build(t testing.TB, args ...string) string {
	t.Helper()
	command := exec.Command("go", args...)
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	var problems bytes.Buffer
	command.Stderr = &problems
	output, err := command.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, problems.String())
	}
	return string(output)
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/demo"
)

func TestDemoSaysWhatItMisses(t *testing.T) {
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"demo"}, cli.ExitFailed, `run "make build", or name it with --registrar PATH`},
		{[]string{"demo", "--registrar", "/nowhere/registrar"}, cli.ExitUsage, "--registrar /nowhere/registrar cannot be run"},
		{[]string{"demo", "--json", "/run/figures.json"}, cli.ExitUsage, "choose another directory"},
		{[]string{"demo", "now"}, cli.ExitUsage, "takes no argument"},
		{[]string{"demo", "--prefix", "Big"}, cli.ExitUsage, "lower-case letters"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(context.Background(), tc.args, &stdout, &stderr)
		if code != tc.code || !strings.Contains(stderr.String(), tc.want) || stdout.Len() > 0 {
			t.Errorf("vpcsim %q: code %d, %s%s want %d and %q", tc.args, code, stdout.String(), stderr.String(), tc.code, tc.want)
		}
	}
}

// idle is a program that takes the registrar's place and does nothing.
func idle(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "registrar")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDemoOfABrokenRegistrarFailsAndWritesFigures(t *testing.T) {
	figures := filepath.Join(t.TempDir(), "figures.json")
	stdout, stderr, code := output(t, "demo", "--prefix", "broken", "--registrar", idle(t, "exit 0"), "--json", figures)
	if code != cli.ExitFailed || !strings.Contains(stdout, "Not as expected: 1 of") || !strings.Contains(stderr, demo.ErrNotAsTold.Error()) {
		t.Errorf("code %d:\n%s%s", code, stdout, stderr)
	}
	text, err := os.ReadFile(figures)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		OK     bool
		Failed []string
	}
	if err := json.Unmarshal(text, &got); err != nil || got.OK || len(got.Failed) != 1 {
		t.Errorf("the figures are %s", text)
	}
}

func TestDemoEndsWhenInterrupted(t *testing.T) {
	cmd := command("demo", "--prefix", "interrupted", "--registrar", idle(t, "exec sleep 60"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), "client runs") {
			_ = cmd.Process.Signal(syscall.SIGINT)
		}
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != cli.ExitFailed || !strings.Contains(stderr.String(), "interrupted; everything is removed") {
		t.Errorf("code %d, %s", code, stderr.String())
	}
	if stdout, _, _ := output(t, "down"); !strings.Contains(stdout, "nothing was left behind") {
		t.Errorf("down: %s", stdout)
	}
}

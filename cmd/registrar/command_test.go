// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
)

// at runs the program with an environment of its own.
func at(t *testing.T, vars map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var out, errs bytes.Buffer
	lookup := func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
	code = run(ctx, args, lookup, &out, &errs)
	return code, out.String(), errs.String()
}

func TestWrongUsageIsToldAllAtOnce(t *testing.T) {
	for _, tt := range []struct {
		name string
		vars map[string]string
		args []string
		want []string
	}{
		{"command", nil, []string{"start"}, []string{`there is no command "start"`}},
		{"flags and values", nil,
			[]string{"sidecar", "--relase=never", "--log-level", "loud", "--hold-down=soon", "now", "-x", "--interfaces=net1,a/b", "--timeout"},
			[]string{"no flag --relase", `--log-level is "loud"`, "--hold-down", `"now" is no flag`, "no flag -x", `"a/b"`, "no flag --timeout"}},
		{"environment", map[string]string{"REGISTRAR_HINT_INTERVAL": "often", "REGISTRAR_RELEASE": "later"},
			[]string{"sidecar"}, []string{"REGISTRAR_HINT_INTERVAL", `--release is "later"`}},
		{"bounds", nil, []string{"sidecar", "--hold-down=10s", "--hold-down-max=1s", "--hint-interval=1ms", "--describe-interval=1s", "--metrics-address=9464", "--keep-warm=2m"},
			[]string{"--hold-down-max is 1s", "--hint-interval is 1ms", "--describe-interval is 1s", "--metrics-address", "--keep-warm is 2m"}},
		{"init", nil, []string{"init", "--timeout=0s", "--network-status={"}, []string{"--timeout is 0s", "network-status"}},
		{"not to be read", nil, []string{"init", "--timeout=abc", "--allow-primary-eni=maybe"}, []string{`--timeout is "abc": write a number and its unit`, "choose true or false\nRun"}},
		{"route tables alone", nil, []string{"init", "--route-tables=rtb-1", "--metrics-address=:99999"}, []string{"no effect without --floating-ips", "no port \"99999\""}},
		{"status", nil, []string{"status", "-o", "yaml"}, []string{`--output is "yaml"`}},
		{"wait", nil, []string{"wait", "--timeout=-1s"}, []string{"--timeout is -1s"}},
		{"missing value", nil, []string{"wait", "--state-dir"}, []string{"--state-dir needs a value"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, _, stderr := at(t, tt.vars, tt.args...)
			if code != cli.ExitUsage {
				t.Errorf("exit code %d, want %d", code, cli.ExitUsage)
			}
			for _, want := range tt.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("the message lacks %q:\n%s", want, stderr)
				}
			}
		})
	}
}

func TestHelpNamesEveryFlagWithItsVariable(t *testing.T) {
	for _, cmd := range []string{"init", "sidecar", "status", "wait", "version"} {
		code, stdout, stderr := at(t, nil, cmd, "--help")
		if code != cli.ExitDone || stderr != "" {
			t.Errorf("%s --help: exit code %d, stderr %q", cmd, code, stderr)
		}
		for line := range strings.Lines(stdout) {
			f := strings.TrimSpace(line)
			name, _, _ := strings.Cut(strings.TrimPrefix(f, "--"), " ")
			if strings.HasPrefix(f, "--") && !strings.Contains(line, "["+cli.Env{Prefix: "REGISTRAR_"}.Name(name)+"]") {
				t.Errorf("%s --help does not name the variable in %q", cmd, line)
			}
		}
	}
	if code, stdout, _ := at(t, nil); code != cli.ExitDone || !strings.Contains(stdout, "registrar sidecar") {
		t.Errorf("without a command: exit code %d\n%s", code, stdout)
	}
}

func TestFlagBeatsVariable(t *testing.T) {
	dir := t.TempDir()
	_, _, stderr := at(t, map[string]string{"REGISTRAR_STATE_DIR": "/nowhere"}, "status", "--state-dir", dir)
	if !strings.Contains(stderr, dir) {
		t.Errorf("the flag was not used: %s", stderr)
	}
	_, _, stderr = at(t, map[string]string{"REGISTRAR_STATE_DIR": dir}, "status")
	if !strings.Contains(stderr, dir) {
		t.Errorf("the variable was not used: %s", stderr)
	}
}

func TestStatusWithoutARegistrarSaysSo(t *testing.T) {
	code, _, stderr := at(t, nil, "status", "--state-dir", t.TempDir())
	if code != cli.ExitFailed || !strings.Contains(stderr, "is the sidecar up") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestWaitTellsHowLongItWaited(t *testing.T) {
	code, _, stderr := at(t, nil, "wait", "--state-dir", t.TempDir(), "--timeout", "50ms")
	if code != cli.ExitFailed || !strings.Contains(stderr, "waited 50ms") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestInitThatTimesOutSaysWhatItWaitsFor(t *testing.T) {
	dir := t.TempDir()
	message := filepath.Join(dir, "termination-log")
	if err := os.WriteFile(message, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := at(t, nil, "init", "--interfaces", "net77", "--timeout", "50ms", "--state-dir", dir, "--termination-log", message)
	if code != cli.ExitFailed || !strings.Contains(stderr, "Interface net77 does not exist yet") {
		t.Errorf("exit code %d: %s\n%s", code, stderr, stdout)
	}
	got, err := os.ReadFile(message)
	if err != nil || !strings.Contains(string(got), "Interface net77 does not exist yet") {
		t.Errorf("the termination message is %q, %v", got, err)
	}
}

func TestVersion(t *testing.T) {
	code, stdout, _ := at(t, nil, "version")
	if code != cli.ExitDone || !strings.HasPrefix(stdout, "registrar ") {
		t.Errorf("exit code %d: %s", code, stdout)
	}
}

// TestTerminationMessageFits: the kubelet reads 4 KiB of it, the end of its line included.
func TestTerminationMessageFits(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	for _, text := range []string{strings.Repeat("x", maxTermination), "x" + strings.Repeat("→", 2000), strings.Repeat("x", 5000), "short"} {
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		(&settings{termination: file}).terminate(slog.New(slog.DiscardHandler), errors.New(text))
		raw, err := os.ReadFile(file)
		if err != nil || len(raw) > maxTermination || !utf8.Valid(raw) || !strings.HasPrefix(string(raw), text[:5]) {
			t.Errorf("%d bytes, valid UTF-8: %t, %v", len(raw), utf8.Valid(raw), err)
		}
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/sandboxtest"
)

// asCommand makes the test binary the command itself.
const asCommand = "VPCSIM_TEST_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(sandboxtest.Main(m, sandboxtest.Options{}))
}

// command is vpcsim with arguments, as a process of its own.
func command(args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	return cmd
}

// output runs the command and returns what it prints and its exit code.
func output(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func TestWrongUsageIsTwoAndSaysWhatIsRight(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"start"}, "choose up, down, exec"},
		{[]string{"up"}, "write -f FILE"},
		{[]string{"up", "-f", "x", "now"}, "takes no argument"},
		{[]string{"up", "--mtu", "100", "-f", "nowhere.yaml"}, "write 1280 to 9001"},
		{[]string{"up", "--prefix", "Big", "-f", "nowhere.yaml"}, "lower-case letters"},
		{[]string{"up", "--ipvlan"}, "unknown flag"},
		{[]string{"exec", "pod"}, "vpcsim exec POD -- COMMAND"},
		{[]string{"fault", "undo"}, "choose add, list, clear or imds"},
		{[]string{"fault", "clear", "one"}, "not a fault's number"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(context.Background(), tc.args, &stdout, &stderr)
		if code != cli.ExitUsage || !strings.Contains(stderr.String(), tc.want) {
			t.Errorf("vpcsim %q: code %d, %s want 2 and %q", tc.args, code, stderr.String(), tc.want)
		}
	}
}

func TestCheckReportsEveryFaultAtOnce(t *testing.T) {
	file := t.TempDir() + "/bad.yaml"
	text := "vpc: {cidrs: [10.0.0.0/16]}\nsubnets:\n- {name: a, cidr: 10.9.0.0/24}\nworkers:\n- {name: w, enis: [{name: e, index: 0, subnet: b, ip: 10.0.0.4}]}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, stderr, code := output(t, "check", "-f", file)
	if code != cli.ExitUsage || strings.Count(stderr, file) < 2 {
		t.Errorf("code %d:\n%swant 2 and two faults", code, stderr)
	}
	stdout, stderr, code := output(t, "check", "-f", example)
	if code != cli.ExitDone || !strings.Contains(stdout, "2 workers with 6 ENIs") {
		t.Errorf("the example: code %d: %s%s", code, stdout, stderr)
	}
}

func TestOverlayLeavesNoVariableTwice(t *testing.T) {
	got := overlay([]string{"A=1", "AB=2", "C=3"}, []string{"A=4", "D=5"})
	if want := []string{"AB=2", "C=3", "A=4", "D=5"}; !slices.Equal(got, want) {
		t.Errorf("overlay = %q, want %q", got, want)
	}
}

func TestEveryCommandHasHelp(t *testing.T) {
	for _, c := range rootCommand().Commands() {
		var stdout, stderr bytes.Buffer
		if code := run(context.Background(), []string{c.Name(), "--help"}, &stdout, &stderr); code != cli.ExitDone || c.Long == "" && c.Name() != "help" {
			t.Errorf("%s --help: code %d, %q", c.Name(), code, stdout.String())
		}
	}
}

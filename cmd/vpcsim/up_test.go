// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

const example = "../../examples/vpcsim/two-workers.yaml"

// upAndReady starts a VPC and returns when it is up, with its process.
func upAndReady(t *testing.T, prefix string) *exec.Cmd {
	t.Helper()
	cmd, _ := upAndSays(t, example, prefix)
	return cmd
}

// upAndSays is upAndReady for another topology, with what is printed.
func upAndSays(t *testing.T, file, prefix string) (cmd *exec.Cmd, says string) {
	t.Helper()
	cmd = command("up", "-f", file, "--prefix", prefix)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		says += lines.Text() + "\n"
		if strings.HasPrefix(lines.Text(), "Ctrl-C") {
			return cmd, says
		}
	}
	t.Fatal("up ended before it was up")
	return nil, ""
}

func TestUpSaysWhatToAttachToAVirtualMachine(t *testing.T) {
	_, says := upAndSays(t, "../../examples/vpcsim/virtual-machine.yaml", "machines")
	for _, want := range []string{
		`"vpcsim --prefix machines exec vm1 -- linux.uml"`,
		"\n  vec0:transport=tap,ifname=tap0,mac=" + topology.DeriveMAC("v1-node") + ",mtu=1500,gro=1\n",
		"\n  vec1:transport=tap,ifname=tap1,mac=" + topology.DeriveMAC("v1-sig") + ",mtu=1500,gro=1\n",
	} {
		if !strings.Contains(says, want) {
			t.Errorf("up does not print %q:\n%s", want, says)
		}
	}
	stdout, stderr, code := output(t, "--prefix", "machines", "exec", "vm1", "--", "cat", "/proc/net/dev")
	if code != cli.ExitDone || !strings.Contains(stdout, "tap1:") {
		t.Errorf("the taps are not where they are said to be: code %d: %s%s", code, stdout, stderr)
	}
}

func TestADayWithVPCsim(t *testing.T) {
	up := upAndReady(t, "day")
	for _, tc := range []struct {
		args string
		want string
		code int
	}{
		{"exec client -- cat /proc/net/dev", "net1:", 0},
		{"exec client -- env", "AWS_ENDPOINT_URL_EC2=http://192.0.2.10:80", 0},
		{"exec worker1 -- cat /proc/net/dev", "eth2:", 0},
		{"exec client -- false", "", 1},
		{"exec nobody -- true", "choose client, upf-active", 2},
		{"fault add --action Assign* --code RequestLimitExceeded --count 3", "vpcsim fault clear 1", 0},
		{"fault add", "write a code, a drop or a delay", 2},
		{"fault list", "RequestLimitExceeded", 0},
		{"fault clear 1", "", 0},
		{"fault clear 1", "there is no fault", 2},
		{"fault imds worker1 --hop-limit 1 --staleness 30s", "30s", 0},
		{"calls", "ANSWER", 0},
		{"calls --json", "calls", 0},
		{"drops", "w2-media", 0},
		{"up -f " + example, "belongs to the living process", 1},
		{"down", "day is running", 0},
	} {
		stdout, stderr, code := output(t, append([]string{"--prefix", "day"}, strings.Fields(tc.args)...)...)
		if code != tc.code || !strings.Contains(stdout+stderr, tc.want) {
			t.Errorf("vpcsim %s: code %d, want %d and %q:\n%s%s", tc.args, code, tc.code, tc.want, stdout, stderr)
		}
	}
	if err := up.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := up.Wait(); err != nil {
		t.Errorf("up, interrupted: %v, want code 0", err)
	}
	if _, stderr, code := output(t, "--prefix", "day", "calls"); code != cli.ExitFailed || !strings.Contains(stderr, "no embedded VPC is running") {
		t.Errorf("calls afterwards: code %d: %s", code, stderr)
	}
}

func TestDownCleansUpAfterAKilledRun(t *testing.T) {
	up := upAndReady(t, "killed")
	_ = up.Process.Kill()
	_ = up.Wait()
	stdout, stderr, code := output(t, "down")
	if code != cli.ExitDone || !strings.Contains(stdout, "removed what killed had left") {
		t.Errorf("down: code %d: %s%s", code, stdout, stderr)
	}
	if stdout, _, _ := output(t, "down"); !strings.Contains(stdout, "nothing was left behind") {
		t.Errorf("down again: %s", stdout)
	}
}

func TestWithoutFabricNoRightIsNeeded(t *testing.T) {
	cmd := command("up", "--no-fabric", "-f", example)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "Ctrl-C") {
		text.WriteString(lines.Text() + "\n")
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	ended := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
	defer ended.Stop()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(text.String(), "export AWS_REGION=eu-central-1 AWS_ENDPOINT_URL_EC2=http://127.0.0.1:") {
		t.Errorf("up --no-fabric prints\n%s", text.String())
	}
}

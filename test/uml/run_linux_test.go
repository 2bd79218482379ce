// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package uml

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// shell runs a script in the guest.
func shell(t *testing.T, k Kernel, c Command, script string) (code int, output string) {
	t.Helper()
	var b bytes.Buffer
	c.Args = []string{"/bin/sh", "-c", script}
	c.Output = &b
	code, err := k.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return code, b.String()
}

func TestRun(t *testing.T) {
	k := Require(t)
	watchLeftovers(t)
	share := t.TempDir()
	code, output := shell(t, k, Command{Env: []string{"GREETING=hello"}, Share: share, Dir: share}, `
		id -u
		pwd
		echo "$GREETING" >&2
		touch /etc/uml-was-here && echo "the root can be written to"
		echo theirs >/tmp/uml-was-here
		test -e /tmp/uml-was-here && echo "has a /tmp"
		cat /sys/class/net/lo/flags
		echo ours >/run/share/file
		exit 7`)
	if code != 7 {
		t.Errorf("exit code %d, want 7", code)
	}
	for _, want := range []string{"0\n", share + "\n", "hello\n", "Read-only file system\n", "has a /tmp\n", "0x9\n"} {
		if !strings.Contains(output, want) {
			t.Errorf("the output lacks %q", want)
		}
	}
	if strings.Contains(output, "can be written to") || strings.Contains(output, "\r") {
		t.Error("the root can be written to, or lines end in \\r")
	}
	for _, path := range []string{"/etc/uml-was-here", "/tmp/uml-was-here"} {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the guest left %s on this machine (%v)", path, err)
		}
	}
	if shared, err := os.ReadFile(filepath.Join(share, "file")); string(shared) != "ours\n" {
		t.Errorf("the shared file has %q, %v", shared, err)
	}
	if t.Failed() {
		t.Logf("output:\n%s", output)
	}
}

func TestRunPassesAllOutputOn(t *testing.T) {
	k := Require(t)
	const lines = 20000
	code, output := shell(t, k, Command{Modules: []string{}}, "seq "+strconv.Itoa(lines)+"; kill -9 $$")
	if code != 128+9 {
		t.Errorf("exit code %d of a killed command, want 137", code)
	}
	got := strings.Split(output, "\n")
	if len(got) != lines+1 || got[lines-1] != strconv.Itoa(lines) {
		t.Errorf("%d lines came through, want %d", len(got)-1, lines)
	}
}

func TestRunEndsAtItsLimit(t *testing.T) {
	k := Require(t)
	watchLeftovers(t)
	const limit = 5 * time.Second
	begin := time.Now()
	_, err := k.Run(t.Context(), Command{Args: []string{"/bin/sleep", "1000"}, Limit: limit})
	if took := time.Since(begin); !errors.Is(err, context.DeadlineExceeded) || took > limit+2*stopGrace {
		t.Errorf("after %v: %v, want %v", took, err, context.DeadlineExceeded)
	}
}

func TestRunTellsWhatWentWrong(t *testing.T) {
	k := Require(t)
	watchLeftovers(t)
	if _, err := k.Run(t.Context(), Command{Args: []string{"/no/such/program"}}); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a program that is not there gives %v", err)
	}
	if _, err := k.Run(t.Context(), Command{Args: []string{"/bin/true"}, Modules: []string{"warp"}}); err == nil || !strings.Contains(err.Error(), "no kernel module warp") {
		t.Errorf("a module that is not there gives %v", err)
	}
	k.init = "/bin/true" // an init that ends is a panic of the kernel
	if _, err := k.Run(t.Context(), Command{Args: []string{"/bin/true"}}); err == nil || !strings.Contains(err.Error(), "Attempted to kill init") {
		t.Errorf("a panic of the kernel gives %v", err)
	}
}

// A kernel that is killed leaves its helpers to be ended.
func TestRunEndsProcessesOfKilledKernel(t *testing.T) {
	k := Require(t)
	watchLeftovers(t)
	share := t.TempDir()
	var killer sync.WaitGroup
	killer.Go(func() {
		for limit := time.Now().Add(time.Minute); time.Now().Before(limit); time.Sleep(10 * time.Millisecond) {
			if _, err := os.Stat(filepath.Join(share, "running")); err == nil {
				break
			}
		}
		pidFiles, _ := filepath.Glob(filepath.Join(os.TempDir(), "uml-*", "guest", "pid"))
		if len(pidFiles) != 1 {
			t.Errorf("%d guests run, want 1", len(pidFiles))
			return
		}
		text, err := os.ReadFile(pidFiles[0])
		if err != nil {
			t.Error(err)
			return
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err == nil {
			err = syscall.Kill(pid, syscall.SIGKILL)
		}
		if err != nil {
			t.Error(err)
		}
	})
	_, err := k.Run(t.Context(), Command{
		Args:  []string{"/bin/sh", "-c", "touch /run/share/running; sleep 1000"},
		Share: share,
	})
	if err == nil || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("Run returns %v, want that the kernel was killed", err)
	}
	killer.Wait()
}

// watchLeftovers checks at the end of the test that its guests have left no
// directory and no process.
func watchLeftovers(t *testing.T) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	pattern := filepath.Join(os.TempDir(), "uml-*")
	t.Cleanup(func() {
		if directories, err := filepath.Glob(pattern); err != nil || len(directories) > 0 {
			t.Errorf("directories that are left: %v, %v", directories, err)
		}
		commandLines, err := filepath.Glob("/proc/[0-9]*/cmdline")
		if err != nil || len(commandLines) == 0 {
			t.Errorf("list processes: %v, %v", commandLines, err)
		}
		for _, path := range commandLines {
			text, _ := os.ReadFile(path) // a process may have ended meanwhile
			if bytes.Contains(text, []byte("uml_dir="+strings.TrimSuffix(pattern, "*"))) {
				t.Errorf("a process that is left: %s", path)
			}
		}
	})
}

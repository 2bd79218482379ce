// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/state"
)

// TestNobodyWithoutCapabilitiesIsEnough: all tests run it so; this one makes
// sure that they do.
func TestNobodyWithoutCapabilitiesIsEnough(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{upf})
	c := l.container("upf")
	p := c.ready()
	caps, err := capabilities(p.cmd.Process.Pid)
	check(t, err)
	if caps != 0 {
		t.Errorf("the registrar has the capabilities %#x", caps)
	}
	info, err := os.Stat(filepath.Join(c.state, state.Name))
	check(t, err)
	if owner := info.Sys().(*syscall.Stat_t).Uid; haveNobody() && owner != nobody {
		t.Errorf("the registrar runs as user %d, want %d", owner, nobody)
	}
	l.wantHeld("w1-sig", "10.0.1.100", "2001:db8:0:1::100")
}

// mount gives the container a state directory on a tmpfs of its own.
func (c *container) mount(options string) {
	c.lab.t.Helper()
	check(c.lab.t, unix.Mount("tmpfs", c.state, "tmpfs", 0, options))
	c.lab.t.Cleanup(func() { check(c.lab.t, unix.Unmount(c.state, unix.MNT_DETACH)) })
}

// TestAReadOnlyStateDirectoryCostsTheStatusNotTheRoutes: ADR 3.
func TestAReadOnlyStateDirectoryCostsTheStatusNotTheRoutes(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{upf})
	c := l.container("upf")
	c.mount("mode=777")
	check(t, unix.Mount("", c.state, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	c.run("init").wantExit(0)
	l.wantHeld("w1-sig", "10.0.1.100", "2001:db8:0:1::100")
	p := c.start("sidecar")
	l.add("upf", "net1", floating4)
	l.untilHeld("w1-sig", "10.0.1.100", floating4, "2001:db8:0:1::100")
	for _, msg := range []string{"no status socket", "state file not written"} {
		wantText(t, msg, p.untilLogged(msg, "level", "ERROR")["cure"].(string), "writable --state-dir")
	}
	p.terminate()
	p.wantExit(0)
	l.wantHeld("w1-sig")
	if n := len(p.logged("state file not written")); n != 1 {
		t.Errorf("told %d times, want once", n)
	}
}

func TestAFullStateDirectoryCostsTheFileNotTheRoutes(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{upf})
	c := l.container("upf")
	page := os.Getpagesize()
	c.mount("mode=777,size=1") // rounded up to a page
	ballast := filepath.Join(c.state, "ballast")
	check(t, os.WriteFile(ballast, make([]byte, page), 0o600))
	p := c.ready()
	l.wantHeld("w1-sig", "10.0.1.100", "2001:db8:0:1::100")
	doc, err := c.status()
	check(t, err)
	if !doc.Ready || !strings.Contains(doc.StateFile, "no space left") {
		t.Errorf("ready %v, the state file's error is %q", doc.Ready, doc.StateFile)
	}
	check(t, os.Remove(ballast))
	l.add("upf", "net1", floating4)
	p.untilLogged("state file is kept again")
	p.terminate()
	p.wantExit(0)
	l.wantHeld("w1-sig")
}

func TestACorruptStateFileIsSetAside(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"empty":           "",
		"cut off":         `{"version":1,"claims":[{"address":"10.0.`,
		"of the future":   `{"version":99,"claims":[]}`,
		"somebody else's": "\x00\xff\x7fELF",
		"a wrong claim":   `{"version":1,"claims":[{"address":"10.0.1.100","eni":"","standing":"acknowledged","since":"2026-01-01T00:00:00Z"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, []string{upf})
			c := l.container("upf")
			check(t, os.WriteFile(filepath.Join(c.state, state.Name), []byte(content), 0o666))
			p := c.ready()
			l.wantHeld("w1-sig", "10.0.1.100", "2001:db8:0:1::100")
			p.untilLogged("state file set aside", "level", "ERROR")
			aside, err := filepath.Glob(filepath.Join(c.state, state.Name+".corrupt-*"))
			check(t, err)
			if len(aside) != 1 {
				t.Errorf("set aside are %v, want one file", aside)
			}
			p.terminate()
			p.wantExit(0)
			l.wantHeld("w1-sig")
		})
	}
}

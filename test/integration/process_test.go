// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/proc"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/control"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/sandboxtest"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
)

// nobody is the user that the container runs as.
const nobody = 65534

// A container is where registrars run, one after the other: a namespace, a
// state directory, and a termination message. It outlives its processes as an
// emptyDir does.
type container struct {
	lab   *lab
	ns    *netspace.Namespace
	env   []string
	state string
	// termination is the file that the kubelet makes.
	termination string
}

// container makes one in a pod, with a state directory of its own.
func (l *lab) container(pod string) *container {
	l.t.Helper()
	p := l.Fabric.Pod(pod)
	if p == nil {
		l.t.Fatalf("there is no pod %s", pod)
	}
	return l.containerIn(p.Namespace, l.Env(pod))
}

// onWorker makes one in the worker's own network, as hostNetwork does.
func (l *lab) onWorker(worker string) *container {
	return l.containerIn(l.Fabric.Worker(worker).Namespace, l.Env(worker))
}

func (l *lab) containerIn(ns *netspace.Namespace, env []string) *container {
	l.t.Helper()
	dir, err := os.MkdirTemp(l.dir, "c")
	check(l.t, err)
	check(l.t, os.Chmod(dir, 0o755))
	c := &container{lab: l, ns: ns, state: filepath.Join(dir, "state"), termination: filepath.Join(dir, "termination-log")}
	check(l.t, os.Mkdir(c.state, 0o777))
	check(l.t, os.Chmod(c.state, 0o777)) // an emptyDir's mode
	check(l.t, os.WriteFile(c.termination, nil, 0o666))
	check(l.t, os.Chmod(c.termination, 0o666))
	c.env = append(slices.Clone(env), "REGISTRAR_STATE_DIR="+c.state, "REGISTRAR_TERMINATION_LOG="+c.termination)
	return c
}

// start starts a registrar.
func (c *container) start(args ...string) *process {
	c.lab.t.Helper()
	p := &process{lab: c.lab, args: args, ended: make(chan struct{})}
	p.cmd = exec.Command(sandboxtest.Registrar(), args...)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = c.env, &p.stdout, &p.stderr
	check(c.lab.t, startConfined(c.ns, p.cmd))
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // ProcessState tells
	}()
	c.lab.t.Cleanup(func() {
		p.kill()
		if c.lab.t.Failed() {
			c.lab.t.Logf("registrar %s in %s: %v\n%s%s", strings.Join(args, " "), c.ns.Name, p.cmd.ProcessState, p.stdout.String(), p.stderr.String())
		}
	})
	return p
}

// run runs a registrar to its end.
func (c *container) run(args ...string) *process {
	c.lab.t.Helper()
	p := c.start(args...)
	p.exitCode()
	return p
}

// ready starts a sidecar and waits until all of its addresses are routed.
func (c *container) ready(args ...string) *process {
	c.lab.t.Helper()
	p := c.start(append([]string{"sidecar"}, args...)...)
	c.untilReady()
	return p
}

func (c *container) untilReady() {
	c.lab.t.Helper()
	if w := c.run("wait", "--timeout", patience.String()); w.exitCode() != 0 {
		c.lab.t.Fatalf("wait: exit code %d\n%s", w.exitCode(), w.stderr.String())
	}
}

// message is the termination message.
func (c *container) message() string {
	c.lab.t.Helper()
	text, err := os.ReadFile(c.termination)
	check(c.lab.t, err)
	return string(text)
}

// status is what `registrar status -o json` prints.
func (c *container) status() (doc control.Document, err error) {
	c.lab.t.Helper()
	p := c.run("status", "-o", "json")
	return doc, json.Unmarshal([]byte(p.stdout.String()), &doc)
}

// row is the status of one address; ok is false where there is none.
func (c *container) row(address string) (ledger.Row, bool) {
	c.lab.t.Helper()
	doc, err := c.status()
	i := slices.IndexFunc(doc.Addresses, func(r ledger.Row) bool { return r.Address.String() == address })
	if err != nil || i < 0 {
		return ledger.Row{}, false
	}
	return doc.Addresses[i], true
}

// untilState waits until the status shows an address in a state.
func (c *container) untilState(address string, want ledger.State) ledger.Row {
	c.lab.t.Helper()
	var row ledger.Row
	c.lab.eventually(address+" "+string(want), func() (any, bool) {
		row, _ = c.row(address)
		return row, row.State == want
	})
	return row
}

// A process is a registrar that was started.
type process struct {
	lab            *lab
	args           []string
	cmd            *exec.Cmd
	stdout, stderr proc.Output
	ended          chan struct{}
}

// exitCode waits for the end; it is -1 after a signal.
func (p *process) exitCode() int {
	p.lab.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(2 * patience):
		p.lab.t.Fatalf("registrar %s runs for more than %v", strings.Join(p.args, " "), 2*patience)
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) wantExit(code int) {
	p.lab.t.Helper()
	if got := p.exitCode(); got != code {
		p.lab.t.Errorf("registrar %s: exit code %d, want %d", strings.Join(p.args, " "), got, code)
	}
}

// running says whether it has not ended.
func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// terminate is what the kubelet does first.
func (p *process) terminate() { _ = p.cmd.Process.Signal(syscall.SIGTERM) } // one that has ended is fine

// kill is what it does last, or the kernel when memory runs out.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // one that has ended is fine
	<-p.ended
}

// A line is one line of the log.
type line map[string]any

// lines are the log so far; each must be JSON.
func (p *process) lines() []line {
	p.lab.t.Helper()
	var all []line
	for text := range strings.Lines(p.stdout.String()) {
		if !strings.HasSuffix(text, "\n") {
			break // being written
		}
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			p.lab.t.Fatalf("a line of the log is not JSON: %v\n%s", err, text)
		}
		all = append(all, l)
	}
	return all
}

// logged are the lines with a message and, for pairs of key and value, those.
func (p *process) logged(msg string, pairs ...string) []line {
	p.lab.t.Helper()
	return slices.DeleteFunc(p.lines(), func(l line) bool {
		if l["msg"] != msg {
			return true
		}
		for i := 0; i < len(pairs); i += 2 {
			if l[pairs[i]] != pairs[i+1] {
				return true
			}
		}
		return false
	})
}

// untilLogged waits for such a line.
func (p *process) untilLogged(msg string, pairs ...string) line {
	p.lab.t.Helper()
	var found []line
	p.lab.eventually("logged: "+msg+" "+strings.Join(pairs, " "), func() (any, bool) {
		found = p.logged(msg, pairs...)
		return p.stdout.String(), len(found) > 0
	})
	return found[0]
}

// wantText checks that a text for people has what they need.
func wantText(t *testing.T, what, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%s lacks %q:\n%s", what, w, text)
		}
	}
}

func wantNoText(t *testing.T, what, text string, not ...string) {
	t.Helper()
	for _, n := range not {
		if strings.Contains(text, n) {
			t.Errorf("%s has %q:\n%s", what, n, text)
		}
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

const (
	// streamInterval is the time between a client's packets.
	streamInterval = 20 * time.Millisecond
	// steady is how many must be answered before something happens, and after
	// it.
	steady = 50
)

// A stream is numbered packets of a client to an address, until it is ended.
type stream struct {
	*story
	name   string
	stdin  io.Closer
	cmd    *exec.Cmd
	copied chan struct{}

	mu  sync.Mutex
	seq []int // of the answers, as they came
}

// sends lets a pod's application send numbered packets to an address, and
// returns when they are answered.
func (s *story) sends(pod, address string) *stream {
	s.Helper()
	// ping ends with the standard input, and tells nothing of what it sent:
	// the gap is between answers.
	script := fmt.Sprintf("ping -i %.3f %s & read end; kill -INT $!; wait $!", streamInterval.Seconds(), address)
	cmd := exec.CommandContext(s.Context(), os.Getenv(kubectlEnv), "--kubeconfig", kubeconfig(), "--namespace", s.ns,
		"exec", "--stdin", pod, "--container", application, "--", "sh", "-c", script)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		s.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	st := &stream{story: s, name: pod + " to " + address, stdin: stdin, cmd: cmd, copied: make(chan struct{})}
	go st.read(out)
	st.flows()
	return st
}

func (st *stream) read(out io.Reader) {
	defer close(st.copied)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		m := pingSeq.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		n, _ := strconv.Atoi(m[1]) // digits
		st.mu.Lock()
		st.seq = append(st.seq, n)
		st.mu.Unlock()
	}
}

func (st *stream) answered() int {
	st.mu.Lock()
	defer st.mu.Unlock()
	return len(st.seq)
}

// flows waits until packets are answered, from now on.
func (st *stream) flows() {
	st.Helper()
	before := st.answered()
	until(st.T, podPatience, func() error {
		if got := st.answered() - before; got < steady {
			return fmt.Errorf("from %s: %d packets answered, want %d", st.name, got, steady)
		}
		return nil
	})
}

// end ends it when packets flow, and tells what the client saw.
func (st *stream) end() pinged {
	st.Helper()
	st.flows()
	if err := st.stdin.Close(); err != nil {
		st.Fatal(err)
	}
	<-st.copied
	_ = st.cmd.Wait() // ping's exit code is that of SIGINT
	return gapOf(st.seq, streamInterval)
}

// gapOf is what a client saw that sent packets at an interval, by the numbers
// of the answers.
func gapOf(seq []int, interval time.Duration) (p pinged) {
	last := -1
	for _, n := range seq {
		p.gap = max(p.gap, time.Duration(n-last-1)*interval)
		last = max(last, n)
	}
	p.received, p.sent = len(seq), last+1
	return p
}

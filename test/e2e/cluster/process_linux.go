// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A process is a program of the control plane; its output is in a file.
type process struct {
	name  string
	log   string
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // valid once ended is closed
}

// process starts a program in the control plane's namespace. Its environment
// has no proxy and no configuration of the user's.
func (c *Cluster) process(path string, args ...string) (*process, error) {
	name := filepath.Base(path)
	p := &process{name: name, log: filepath.Join(c.opts.Dir, name+".log"), ended: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd = exec.Command(path, args...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = c.opts.Dir, log, log
	p.cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + c.opts.Dir, "TMPDIR=" + c.opts.Dir}
	if err := c.control().Start(p.cmd); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	c.processes = append(c.processes, p)
	return p, nil
}

// kill ends it at once: nothing of what it has is kept.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.ended
}

// running is an error where it has ended.
func (p *process) running() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s has ended (%v); its log is %s", p.name, p.err, p.log)
	default:
		return nil
	}
}

// until asks again and again, and tells what was the matter when time is up.
func until(patience time.Duration, ask func() error) error {
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		err := ask()
		if err == nil || time.Now().After(end) {
			return err
		}
	}
}

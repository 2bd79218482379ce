// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/node/config"
)

// restartDelay is how soon a service that ended by itself runs again.
const restartDelay = time.Second

// A service is a program that is to run always, its log is in Share.
type service struct {
	name string
	args []string

	mu      sync.Mutex
	wanted  bool
	process *os.Process
	ended   chan struct{} // closed when the process has
}

func newService(n config.Node, name string, args ...string) *service {
	return &service{name: name, args: append([]string{filepath.Join(n.Programs, name)}, args...)}
}

func (s *service) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted = true
	if s.process == nil {
		s.run()
	}
}

// run wants mu.
func (s *service) run() {
	cmd := exec.Command(s.args[0], s.args[1:]...)
	log, err := os.OpenFile(filepath.Join(config.Share, s.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err == nil {
		defer log.Close()
		cmd.Stdout, cmd.Stderr = log, log
		err = cmd.Start()
	}
	if err != nil {
		say("start %s: %v", s.name, err)
		time.AfterFunc(restartDelay, s.again)
		return
	}
	ended := make(chan struct{})
	s.process, s.ended = cmd.Process, ended
	go func() {
		err := cmd.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.process = nil
		close(ended)
		if s.wanted {
			say("%s has ended: %v", s.name, err)
			time.AfterFunc(restartDelay, s.again)
		}
	}()
}

func (s *service) again() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wanted && s.process == nil {
		s.run()
	}
}

// stop kills the process and returns when it is gone.
func (s *service) stop() error {
	s.mu.Lock()
	s.wanted = false
	process, ended := s.process, s.ended
	s.mu.Unlock()
	if process == nil {
		return nil
	}
	if err := process.Kill(); err != nil {
		return fmt.Errorf("end %s: %w", s.name, err)
	}
	<-ended
	return nil
}

// importImages waits for containerd and gives it the images.
func importImages(n config.Node) error {
	ctr := func(args ...string) error {
		out, err := exec.Command(filepath.Join(n.Programs, "ctr"), append([]string{"--address", config.ContainerdSocket, "--namespace", "k8s.io"}, args...)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("ctr %q: %w\n%s", args, err, out)
		}
		return nil
	}
	if err := until(time.Minute, func() error { return ctr("version") }); err != nil {
		return fmt.Errorf("wait for containerd: %w", err)
	}
	say("containerd answers")
	return ctr("images", "import", filepath.Join(config.Share, config.Images))
}

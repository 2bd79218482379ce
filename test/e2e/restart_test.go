// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/node/config"
)

// The registrar's process is killed and the kubelet starts it again: what EC2
// has acknowledged is held, with no call that assigns it, and the application
// goes on.
func TestRestartIsNoAppearance(t *testing.T) {
	s := tell(t)
	const four, six = "10.0.3.94", "2001:db8:0:3::94"
	s.apply(staticN3 + pods(pod{name: "killed", worker: worker1, inject: "sidecar", addresses: []string{four + "/24", six + "/64"}}))
	s.running("killed")
	s.owned(four, "w1-n3")
	s.owned(six, "w1-n3")

	forgetCalls(t)
	s.killRegistrar("killed", worker1)
	until(t, podPatience, func() error {
		c := s.registrar("killed")
		if c.Started == nil || !*c.Started {
			return fmt.Errorf("the registrar has not started: %+v", c.State)
		}
		return nil
	})
	for _, c := range calls(t, "Assign*", "Unassign*") {
		t.Errorf("after the restart: %s %v", c.Action, c.Addresses)
	}
	s.owned(four, "w1-n3")
	s.owned(six, "w1-n3")
	if n := s.restarts("killed"); n != 0 {
		t.Errorf("the application was started again, %d times", n)
	}
	s.gone("killed")
	for _, address := range []string{four, six} {
		if got := owner(t, address); got != "" {
			t.Errorf("the pod is gone, and EC2 has %s on ENI %q", address, got)
		}
	}
}

// killRegistrar ends a pod's registrar by SIGKILL and returns when it runs again.
func (s *story) killRegistrar(name string, on worker) {
	s.Helper()
	id := strings.TrimPrefix(s.registrar(name).ContainerID, "containerd://")
	ctr := filepath.Join(filepath.Dir(os.Getenv(kubectlEnv)), "ctr")
	on.run(s.T, ctr, "--address", config.ContainerdSocket, "--namespace", "k8s.io", "tasks", "kill", "--signal", "SIGKILL", id)
	until(s.T, podPatience, func() error {
		if c := s.registrar(name); c.RestartCount == 0 || c.State.Running == nil {
			return fmt.Errorf("the registrar is not back: %d restarts, %+v", c.RestartCount, c.State)
		}
		return nil
	})
	s.say("the registrar of %s is back", name)
}

// registrar is how the container is that was injected into a pod.
func (s *story) registrar(name string) corev1.ContainerStatus {
	s.Helper()
	p, err := s.pod(name)
	if err != nil {
		s.Fatal(err)
	}
	for _, c := range p.Status.InitContainerStatuses {
		if c.Name == injected {
			return c
		}
	}
	s.Fatalf("pod %s has no container %s", name, injected)
	return corev1.ContainerStatus{}
}

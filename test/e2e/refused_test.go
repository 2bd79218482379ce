// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// initDeadline is when an init container that is not routed ends, and the
// kubelet starts it again.
const initDeadline = 2 * time.Minute

// The role lacks a right when pods start: they wait, kubectl describe says
// which right, and once it is given they start by themselves.
func TestRefusedPodsWaitAndSayWhy(t *testing.T) {
	s := tellAside(t)
	s.apply(staticN3 + pods(pod{name: "peer", worker: worker2, inject: "init", addresses: []string{"10.0.3.85/24"}}))
	s.running("peer")

	var allow []func()
	for _, address := range []string{"10.0.3.86", "10.0.3.87"} {
		allow = append(allow, s.inject(fault{Action: "AssignPrivateIpAddresses", Address: address, Code: "UnauthorizedOperation"}))
	}
	s.apply(pods(
		pod{name: "sidecar", worker: worker1, inject: "sidecar", addresses: []string{"10.0.3.86/24"}, script: reportStart("10.0.3.85")},
		pod{name: "init", worker: worker1, inject: "init", addresses: []string{"10.0.3.87/24"}, script: reportStart("10.0.3.85")},
	))
	const cure = "Allow ec2:AssignPrivateIpAddresses"
	s.described("sidecar", cure)
	s.say("kubectl describe tells what to allow, by an event of the sidecar's startup probe")
	s.waiting("sidecar")
	s.waiting("init")
	until(t, initDeadline+podPatience, func() error { return s.terminationSays("init", cure) })
	s.say("and by the termination message of the init container")
	s.waiting("sidecar")
	s.waiting("init")

	for _, again := range allow {
		again()
	}
	began := time.Now()
	for _, name := range []string{"sidecar", "init"} {
		s.running(name)
		s.say("%s has started within %.0f s of the right", name, time.Since(began).Seconds())
		s.firstPacket(name, "10.0.3.85")
	}
}

// EC2 cannot be reached when pods start: the same.
func TestPodsWaitForEC2(t *testing.T) {
	s := tell(t)
	s.apply(staticN3 + pods(pod{name: "peer", worker: worker2, inject: "init", addresses: []string{"10.0.3.88/24"}}))
	s.running("peer")

	const endpoint = "192.0.2.10/32"
	worker1.run(t, "ip", "route", "add", "blackhole", endpoint)
	cut := true
	serve := func() {
		if cut {
			cut = false
			worker1.run(t, "ip", "route", "del", "blackhole", endpoint)
		}
	}
	t.Cleanup(serve)
	s.apply(pods(
		pod{name: "sidecar", worker: worker1, inject: "sidecar", addresses: []string{"10.0.3.89/24"}, script: reportStart("10.0.3.88")},
		pod{name: "init", worker: worker1, inject: "init", addresses: []string{"10.0.3.90/24"}, script: reportStart("10.0.3.88")},
	))
	s.described("sidecar", "EC2 could not be reached")
	s.say("kubectl describe tells that EC2 cannot be reached")
	s.waiting("sidecar")
	s.waiting("init")

	serve()
	began := time.Now()
	for _, name := range []string{"sidecar", "init"} {
		s.running(name)
		s.say("%s has started within %.0f s of EC2's return", name, time.Since(began).Seconds())
		s.firstPacket(name, "10.0.3.88")
	}
}

// waiting fails where a container runs that is not injected.
func (s *story) waiting(name string) {
	s.Helper()
	p, err := s.pod(name)
	if err != nil {
		s.Fatal(err)
	}
	for _, c := range p.Status.ContainerStatuses {
		if c.State.Waiting == nil {
			s.Errorf("container %s of pod %s does not wait: %+v", c.Name, name, c.State)
		}
	}
}

// terminationSays says why the termination message of a pod's registrar has no
// such text, in kubectl describe.
func (s *story) terminationSays(name, text string) error {
	p, err := s.pod(name)
	if err != nil {
		return err
	}
	for _, c := range p.Status.InitContainerStatuses {
		for _, ended := range []string{message(c.State.Terminated), message(c.LastTerminationState.Terminated)} {
			if ended != "" {
				return contains("the termination message of pod "+name, ended, text)
			}
		}
	}
	return fmt.Errorf("the registrar of pod %s has not ended", name)
}

func message(ended *corev1.ContainerStateTerminated) string {
	if ended == nil {
		return ""
	}
	return ended.Message
}

func contains(what, text, part string) error {
	if !strings.Contains(strings.Join(strings.Fields(text), " "), part) {
		return fmt.Errorf("%s does not say %s:\n%s", what, part, text)
	}
	return nil
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// EC2 throttles when a pod starts: the pod waits, kubectl describe says why,
// and it starts by itself once EC2 serves again.
func TestThrottledPodWaitsAndSaysWhy(t *testing.T) {
	s := tellAside(t)
	s.apply(staticN3 + pods(pod{name: "peer", worker: worker2, inject: "init", addresses: []string{"10.0.3.77/24"}}))
	s.running("peer")

	serve := s.inject(fault{Action: "AssignPrivateIpAddresses", Address: "10.0.3.78", Code: "RequestLimitExceeded"})
	s.apply(pods(pod{name: "waiting", worker: worker1, inject: "sidecar", addresses: []string{"10.0.3.78/24"}, script: reportStart("10.0.3.77")}))
	s.described("waiting", "EC2 refused to assign 10.0.3.78")
	s.say("kubectl describe tells the reason")
	p, err := s.pod("waiting")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range p.Status.ContainerStatuses {
		if c.State.Waiting == nil {
			t.Errorf("container %s does not wait: %+v", c.Name, c.State)
		}
	}
	serve()
	s.running("waiting")
	s.firstPacket("waiting", "10.0.3.77")
	refused := slices.DeleteFunc(callsFor(t, "10.0.3.78", "AssignPrivateIpAddresses"), func(c call) bool { return c.Code == "" })
	s.say("EC2 serves again, and the pod has started; %d calls were refused", len(refused))
}

// described waits until kubectl describe has a text about a pod.
func (s *story) described(pod, text string) {
	s.Helper()
	until(s.T, podPatience, func() error {
		out, err := kubectl("", "--namespace", s.ns, "describe", "pod", pod)
		if err == nil && !strings.Contains(out, text) {
			err = fmt.Errorf("kubectl describe pod %s does not say %s:\n%s", pod, text, out)
		}
		return err
	})
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"time"
)

// must fails the story with a command's error.
func (s *story) must(_ string, err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// releasedBeforeDEL fails where EC2 was asked to unassign addresses of a pod
// that is gone only after Multus had asked the plugins to delete net1, which
// is when IPAM takes the addresses back.
func (s *story) releasedBeforeDEL(pod string, on worker, addresses ...string) {
	s.Helper()
	del, err := deleted(on.run(s.T, "cat", "/run/share/multus.log"), s.ns, pod)
	if err != nil {
		s.Fatal(err)
	}
	for _, address := range addresses {
		for _, c := range callsFor(s.T, address, "Unassign*") {
			// Multus logs whole seconds.
			if c.Time.Truncate(time.Second).After(del) {
				s.Errorf("%s was released at %v, after Multus deleted net1 at %v", address, c.Time, del)
			}
		}
	}
}

// deleted is when Multus was asked to delete a pod's net1, by its log.
func deleted(log, namespace, pod string) (time.Time, error) {
	for line := range strings.Lines(log) {
		at, rest, _ := strings.Cut(line, " ")
		if strings.Contains(rest, " Del: "+namespace+":"+pod+":") && strings.Contains(rest, ":net1 ") {
			return time.Parse(time.RFC3339, at)
		}
	}
	return time.Time{}, fmt.Errorf("Multus' log has no deletion of net1 of pod %s/%s", namespace, pod)
}

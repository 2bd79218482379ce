// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// The chart is upgraded while pods are made and injected pods run: no pod is
// lost, registrars of the version before go on under the new webhook, new ones
// work with the webhook of before, helm test passes, and after an uninstall
// what runs goes on.
func TestUpgradeUnderRunningPods(t *testing.T) {
	const earlier = "0.0.9"
	s := tell(t)
	otherBuild(t, earlier)
	s.say("the workers have the images of version %s", earlier)
	t.Cleanup(func() {
		if err := install(); err != nil { // where it was uninstalled
			t.Error(err)
		}
		s.upgrade("image.tag=", "registrar.image.tag=")
	})
	s.apply(staticN3)

	s.upgrade("image.tag="+earlier, "registrar.image.tag="+earlier)
	s.apply(pods(
		pod{name: "old", worker: worker1, inject: "sidecar", addresses: []string{"10.0.3.129/24"}, capabilities: []string{"NET_ADMIN"}},
		pod{name: "leaving", worker: worker2, inject: "sidecar", addresses: []string{"10.0.3.130/24"}},
	))
	s.running("old", "leaving")
	s.runs("old", earlier)

	s.say("the webhook of before injects a registrar of now")
	s.upgrade("registrar.image.tag=")
	s.apply(pods(pod{name: "ahead", worker: worker2, inject: "sidecar", addresses: []string{"10.0.3.131/24"}, capabilities: []string{"NET_ADMIN"}}))
	s.running("ahead")
	s.follows("ahead", "10.0.3.132", "w2-n3", "old")

	s.say("the upgrade")
	end := s.admitAll("the upgrade")
	s.upgrade("image.tag=")
	end()
	s.follows("old", "10.0.3.133", "w1-n3", "ahead")
	s.gone("leaving")
	if got := owner(t, "10.0.3.130"); got != "" {
		t.Errorf("a pod of before the upgrade is gone, and EC2 has its address on ENI %q", got)
	}
	s.apply(pods(pod{name: "new", worker: worker2, inject: "sidecar", addresses: []string{"10.0.3.130/24"}}))
	s.running("new")
	s.reaches("old", "10.0.3.130", true)
	out := s.helm("test", release, "--timeout", helmPatience.String())
	if !strings.Contains(out, "Succeeded") {
		t.Errorf("helm test:\n%s", out)
	}
	s.say("helm test passes")

	s.say("the rollback, and the uninstall")
	end = s.admitAll("the rollback")
	s.helm("rollback", release, "--wait", "--timeout", helmPatience.String())
	end()
	s.helm("uninstall", release, "--wait", "--timeout", helmPatience.String())
	s.follows("new", "", "w2-n3", "old")
	s.follows("old", "10.0.3.134", "w1-n3", "new")
	s.apply(pods(pod{name: "alone", worker: worker1, inject: "sidecar", addresses: []string{"10.0.3.135/24"}}))
	s.running("alone")
	s.hasRegistrar("alone", false)
	until(t, podPatience, func() error { // replicas end last
		left := s.kubectl("get", "all,serviceaccounts,roles,rolebindings,pdb,networkpolicies,clusterroles,clusterrolebindings,mutatingwebhookconfigurations",
			"--all-namespaces", "-l", "app.kubernetes.io/instance="+release, "-o", "name")
		if left = strings.TrimSpace(left); left != "" {
			return fmt.Errorf("helm uninstall leaves %s", left)
		}
		return nil
	})
}

// runs fails where a pod's registrar is not of a version.
func (s *story) runs(pod, version string) {
	s.Helper()
	out, err := s.exec(pod, injected, "/registrar", "status")
	if err != nil || !strings.Contains(out, "registrar "+version+",") {
		s.Errorf("registrar status in %s is not of version %s: %v\n%s", pod, version, err, out)
	}
}

// follows adds an address to a pod, where there is one, and fails where the
// registrar does not have it routed, or has not what it had.
func (s *story) follows(pod, address, eni, from string) {
	s.Helper()
	if address != "" {
		s.must(s.exec(pod, application, "ip", "address", "add", address+"/24", "dev", "net1"))
		s.owned(address, eni)
	}
	for _, a := range s.addresses(pod, "net1") {
		s.reaches(from, a, true)
	}
	out, err := s.exec(pod, injected, "/registrar", "status")
	if err == nil && !strings.Contains(out, "Ready: every address is routed.") {
		err = fmt.Errorf("it is not ready:\n%s", out)
	}
	if err != nil {
		s.Errorf("registrar status in %s: %v", pod, err)
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// All replicas of the webhook are gone. With failurePolicy Fail a pod with
// networks is not made, which its user is told, and is by itself when the
// webhook is back; with Ignore it runs, unrouted. Others never notice.
func TestWebhookIsDown(t *testing.T) {
	s := tell(t)
	t.Cleanup(func() {
		s.scale(2)
		s.upgrade("webhook.failurePolicy=Fail")
	})
	const simple = `
apiVersion: v1
kind: Pod
metadata: {name: simple, labels: {story: ""}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: app, image: "busybox:1.37", command: [sleep, "100000"]}]
`
	s.apply(staticN3 + pods(pod{name: "before", worker: worker2, inject: "sidecar", addresses: []string{"10.0.3.90/24"},
		capabilities: []string{"NET_ADMIN"}}))
	s.running("before")

	s.scale(0)
	s.say("the webhook is down, with failurePolicy Fail")
	out, err := kubectl(pods(pod{name: "refused", worker: worker1, inject: "sidecar", addresses: []string{"10.0.3.91/24"}}), "--namespace", s.ns, "apply", "-f", "-")
	if err == nil {
		t.Errorf("a pod with networks is made: %s", out)
	} else if !strings.Contains(err.Error(), `failed calling webhook "inject.multus-ip-registrar.io"`) {
		t.Errorf("the refusal does not name the webhook: %v", err)
	} else {
		s.say("a user sees: %s", lastLine(err.Error()))
	}
	s.apply(statefulSet("waits", 1, "sidecar", `[{"name":"n3","ips":["10.0.3.92/24"]}]`, "any", "nodeSelector: {kubernetes.io/hostname: worker1}"))
	until(t, podPatience, func() error {
		out, err := kubectl("", "--namespace", s.ns, "describe", "statefulset", "waits")
		if err == nil && !strings.Contains(out, "failed calling webhook") {
			err = fmt.Errorf("kubectl describe statefulset waits does not say why it has no pods:\n%s", out)
		}
		return err
	})
	s.apply(simple)
	s.running("simple")
	s.say("a pod without networks runs, and a registrar at work goes on")
	s.must(s.exec("before", application, "ip", "address", "add", "10.0.3.93/24", "dev", "net1"))
	s.owned("10.0.3.93", "w2-n3")

	s.scale(2)
	s.say("the webhook is back")
	until(t, 3*podPatience, func() error { _, err := s.pod("waits-0"); return err })
	s.running("waits-0")
	s.hasRegistrar("waits-0", true)
	s.reaches("before", "10.0.3.92", true)

	s.upgrade("webhook.failurePolicy=Ignore")
	s.scale(0)
	s.say("the webhook is down, with failurePolicy Ignore")
	s.apply(pods(pod{name: "unrouted", worker: worker1, inject: "sidecar", addresses: []string{"10.0.3.91/24"}}))
	s.running("unrouted")
	s.hasRegistrar("unrouted", false)
	s.reaches("before", "10.0.3.91", false)
}

// scale gives the webhook as many replicas, and waits until there are as many:
// one that ends still answers while it drains.
func (s *story) scale(n int) {
	s.Helper()
	s.kubectl("--namespace", release, "scale", "deployment/"+release, fmt.Sprintf("--replicas=%d", n))
	until(s.T, helmPatience, func() error {
		pods, err := kubectl("", "--namespace", release, "get", "pods", "-l", "app.kubernetes.io/instance="+release, "-o", "name")
		if got := len(strings.Fields(pods)); err == nil && got != n {
			err = fmt.Errorf("the webhook has %d replicas, want %d", got, n)
		}
		return err
	})
	s.kubectl("--namespace", release, "rollout", "status", "deployment/"+release, "--timeout", helmPatience.String())
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

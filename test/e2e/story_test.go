// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// podPatience is for a pod to start or to end, which takes some 5 s on these
// workers, longer where several do at once. E2E_PATIENCE is another one.
var podPatience = patience("E2E_PATIENCE", 2*time.Minute)

func patience(variable string, usual time.Duration) time.Duration {
	if d, err := time.ParseDuration(os.Getenv(variable)); err == nil {
		return d
	}
	return usual
}

const (
	// application is the name of the container that is not injected.
	application = "app"
	// injected is the name of the container that is.
	injected = "multus-ip-registrar"
)

// A story is a test with a namespace of its own.
type story struct {
	*testing.T
	ns      string
	began   time.Time
	created map[string]time.Time // by pod
}

var words = regexp.MustCompile("[A-Z]+[a-z0-9]*")

// namespaceOf makes rolling-update of TestRollingUpdate.
func namespaceOf(test string) string {
	return strings.ToLower(strings.Join(words.FindAllString(strings.TrimPrefix(test, "Test"), -1), "-"))
}

// tell begins a story. When it ends its pods are deleted; where it failed,
// what can explain it is logged first.
func tell(t *testing.T, labels ...string) *story {
	t.Helper()
	takeBack(t) // what a story that failed may have left
	forgetCalls(t)
	t.Cleanup(func() { takeBack(t) })
	return begin(t, labels...)
}

// tellAside begins a story that waits for most of its time: such are told
// together, when all others have been. It looks at its own addresses only, lets
// no calls fail but those for them, and leaves the workers' services alone. What
// mode init leaves in EC2 stays there until another story begins.
func tellAside(t *testing.T) *story {
	t.Helper()
	takeBack(t) // nobody else is at work yet
	forgetCalls(t)
	t.Parallel()
	return begin(t)
}

func begin(t *testing.T, labels ...string) *story {
	t.Helper()
	s := &story{T: t, ns: namespaceOf(t.Name()), began: time.Now(), created: map[string]time.Time{}}
	until(t, podPatience, func() error { // one of the same story may be ending
		_, err := kubectl("", "create", "namespace", s.ns)
		return err
	})
	if len(labels) > 0 {
		s.kubectl(append([]string{"label", "namespace", s.ns}, labels...)...)
	}
	t.Cleanup(func() {
		if t.Failed() {
			s.explain()
		}
		// Pods first, and slowly: IPAM and EC2 are to forget their addresses.
		s.kubectl("--namespace", s.ns, "delete", "deployments,statefulsets,daemonsets,jobs,pods", "--all", "--timeout", podPatience.String())
		s.kubectl("delete", "namespace", s.ns, "--wait=false")
	})
	return s
}

// say logs a step with the time since the story began.
func (s *story) say(format string, args ...any) {
	s.Helper()
	s.Logf("%6.1f s  %s", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

// kubectl must succeed.
func (s *story) kubectl(args ...string) string {
	s.Helper()
	out, err := kubectl("", args...)
	if err != nil {
		s.Error(err)
	}
	return out
}

// apply applies a manifest in the story's namespace.
func (s *story) apply(manifest string) {
	s.Helper()
	began := time.Now()
	out, err := kubectl(manifest, "--namespace", s.ns, "apply", "-f", "-")
	if err != nil {
		s.Fatal(err)
	}
	for line := range strings.Lines(out) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "pod/"); ok {
			s.created[strings.TrimSuffix(name, " created")] = began
		}
	}
}

func (s *story) pod(name string) (*corev1.Pod, error) {
	return the.kube.CoreV1().Pods(s.ns).Get(context.Background(), name, metav1.GetOptions{})
}

// running waits until all containers of pods run.
func (s *story) running(names ...string) {
	s.Helper()
	for _, name := range names {
		until(s.T, podPatience, func() error {
			p, err := s.pod(name)
			if err != nil {
				return err
			}
			for _, c := range p.Status.ContainerStatuses {
				if c.State.Running == nil {
					return fmt.Errorf("pod %s is %s: container %s does not run", name, p.Status.Phase, c.Name)
				}
			}
			if len(p.Status.ContainerStatuses) == 0 {
				return fmt.Errorf("pod %s is %s", name, p.Status.Phase)
			}
			return nil
		})
	}
}

// gone deletes pods and waits until they are.
func (s *story) gone(names ...string) {
	s.Helper()
	s.kubectl(append([]string{"--namespace", s.ns, "delete", "pod", "--timeout", podPatience.String()}, names...)...)
}

// exec runs a command in a container of a pod and gives what it writes, with
// an error where its exit code is not 0.
func (s *story) exec(pod, container string, command ...string) (string, error) {
	return kubectl("", append([]string{"--namespace", s.ns, "exec", pod, "--container", container, "--"}, command...)...)
}

// logs is what a container wrote.
func (s *story) logs(pod, container string) string {
	s.Helper()
	return s.kubectl("--namespace", s.ns, "logs", pod, "--container", container)
}

// explain logs what can explain a failure.
func (s *story) explain() {
	s.Helper()
	for _, args := range [][]string{
		{"get", "pods", "-o", "wide"},
		{"describe", "pods"},
		{"get", "events", "--sort-by", ".lastTimestamp"},
	} {
		out, err := kubectl("", append([]string{"--namespace", s.ns}, args...)...)
		s.Logf("kubectl %s\n%s", strings.Join(args, " "), out)
		if err != nil {
			s.Log(err)
		}
	}
	s.explainLogs()
	s.Logf("EC2:\n%s", describeEC2(s.T, s.began))
}

// explainLogs logs the end of each container's log. kubectl would give none
// where one container has not started.
func (s *story) explainLogs() {
	s.Helper()
	pods, err := the.kube.CoreV1().Pods(s.ns).List(context.Background(), metav1.ListOptions{})
	if err != nil {
		s.Log(err)
		return
	}
	for _, p := range pods.Items {
		for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
			if out, err := kubectl("", "--namespace", s.ns, "logs", p.Name, "--container", c.Name, "--tail=30"); err == nil {
				s.Logf("the log of %s in pod %s\n%s", c.Name, p.Name, out)
			}
		}
	}
}

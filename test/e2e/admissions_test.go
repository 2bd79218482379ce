// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// admitAll makes pods by dry run, one after the other, until the end that it
// returns, which fails the story if one was refused or came without the
// registrar, and says how many there were.
func (s *story) admitAll(during string) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	var n int
	var slowest time.Duration
	var lost []error
	done.Go(func() {
		for ctx.Err() == nil {
			began := time.Now()
			err := s.admit()
			n, slowest = n+1, max(slowest, time.Since(began))
			if err != nil {
				lost = append(lost, fmt.Errorf("after %.1f s: %w", time.Since(s.began).Seconds(), err))
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	ended := false
	end = func() {
		s.Helper()
		if ended {
			return
		}
		ended = true
		cancel()
		done.Wait()
		s.say("%d pods were made during %s, %d lost, the slowest answer after %v", n, during, len(lost), slowest.Round(time.Millisecond))
		for _, err := range lost {
			s.Error(err)
		}
	}
	s.Cleanup(end)
	return end
}

// admit makes a pod by dry run.
func (s *story) admit() error {
	p, err := the.kube.CoreV1().Pods(s.ns).Create(context.Background(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "dry-", Annotations: map[string]string{
			"k8s.v1.cni.cncf.io/networks":   "n3",
			"multus-ip-registrar.io/inject": "sidecar",
		}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: application, Image: "busybox:1.37"}}},
	}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil {
		return err
	}
	if len(p.Spec.InitContainers) != 1 || p.Spec.InitContainers[0].Name != injected {
		return fmt.Errorf("a pod has init containers %v, not the registrar", p.Spec.InitContainers)
	}
	return nil
}

// helm must succeed.
func (s *story) helm(args ...string) string {
	s.Helper()
	out, err := helm(args...)
	if err != nil {
		s.Fatal(err)
	}
	return out
}

// upgrade changes values of the chart and waits until all replicas have them.
func (s *story) upgrade(values ...string) {
	s.Helper()
	args := []string{"upgrade", release, chart, "--reset-then-reuse-values", "--wait", "--timeout", helmPatience.String()}
	for _, v := range values {
		args = append(args, "--set", v)
	}
	s.helm(args...)
}

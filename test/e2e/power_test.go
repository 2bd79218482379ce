// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The worker is not what keeps a pod routed: it stays so while the kubelet is
// away. After a power cut the pod comes back with its addresses.
func TestWorkerLosesItsPower(t *testing.T) {
	s := tell(t)
	s.apply(staticN3 + pods(
		pod{name: "client", worker: worker1, inject: "init", addresses: []string{"10.0.3.81/24"}},
		pod{name: "server", worker: worker2, inject: "sidecar", addresses: []string{"10.0.3.82/24", "2001:db8:0:3::82/64"}},
	))
	s.running("client", "server")
	s.reaches("client", "10.0.3.82", true)

	s.say("the kubelet of %s is killed", worker2)
	worker2.stop(t, "kubelet")
	if got := s.ping("client", "10.0.3.82", 20, 100*time.Millisecond); got.received != got.sent {
		t.Errorf("without a kubelet: %v", got)
	}
	s.owned("10.0.3.82", "w2-n3")
	worker2.start(t, "kubelet")

	s.say("%s loses its power", worker2)
	worker2.cut(t)
	booted := false
	t.Cleanup(func() {
		if !booted {
			worker2.boot(t)
		}
	})
	s.reaches("client", "10.0.3.82", false)
	s.owned("10.0.3.82", "w2-n3") // nobody was there to release it

	restarts := s.restarts("server")
	begin := time.Now()
	worker2.boot(t)
	booted = true
	s.rebooted(worker2, begin)
	s.say("%s is back after %.1f s", worker2, time.Since(begin).Seconds())
	until(t, podPatience, func() error {
		if n := s.restarts("server"); n <= restarts {
			return fmt.Errorf("pod server has not been started again: %d restarts", n)
		}
		return nil
	})
	s.running("server")
	s.reaches("client", "10.0.3.82", true)
	s.say("the pod is back and reached")
}

// restarts is how often the application of a pod was started again.
func (s *story) restarts(name string) int32 {
	s.Helper()
	p, err := s.pod(name)
	if err != nil {
		s.Fatal(err)
	}
	for _, c := range p.Status.ContainerStatuses {
		if c.Name == application {
			return c.RestartCount
		}
	}
	return 0
}

// rebooted waits until a worker that was switched on then answers, and runs its
// replica of the webhook again: until the kubelet says otherwise the one of before
// seems to be Ready, and the API server waits for it in vain.
func (s *story) rebooted(w worker, on time.Time) {
	s.Helper()
	s.nodeAnswers(w)
	until(s.T, podPatience, func() error {
		replicas, err := the.kube.CoreV1().Pods(release).List(s.Context(), metav1.ListOptions{FieldSelector: "spec.nodeName=" + string(w)})
		if err != nil {
			return err
		}
		for _, p := range replicas.Items {
			if len(p.Status.ContainerStatuses) == 0 {
				return fmt.Errorf("the webhook has not started on %s: %s", w, p.Name)
			}
			for _, c := range p.Status.ContainerStatuses {
				if c.State.Running == nil || c.State.Running.StartedAt.Before(&metav1.Time{Time: on}) || !c.Ready {
					return fmt.Errorf("the webhook has not started again on %s: %s", w, p.Name)
				}
			}
		}
		return nil
	})
	s.admitsAgain()
}

// admitsAgain has the connections used up that the API server keeps to a replica
// which lost its power: each of them costs one admission its 10 s. A story that
// makes a pod by hand, where a controller would try again, would meet one.
func (s *story) admitsAgain() {
	s.Helper()
	const atOnce, quick = 8, 2 * time.Second
	until(s.T, 2*time.Minute, func() error {
		errs := make([]error, atOnce)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				began := time.Now()
				if errs[i] = s.admit(); errs[i] == nil && time.Since(began) > quick {
					errs[i] = fmt.Errorf("an admission took %v", time.Since(began))
				}
			})
		}
		all.Wait()
		return errors.Join(errs...)
	})
}

// nodeAnswers waits until a node's kubelet answers and has said that it is Ready.
func (s *story) nodeAnswers(w worker) {
	s.Helper()
	began := time.Now()
	until(s.T, 3*time.Minute, func() error {
		n, err := the.kube.CoreV1().Nodes().Get(s.Context(), string(w), metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, c := range n.Status.Conditions {
			if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue && c.LastHeartbeatTime.After(began) {
				return nil
			}
		}
		return fmt.Errorf("node %s is not Ready", w)
	})
}

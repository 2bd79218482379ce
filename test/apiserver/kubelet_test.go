// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// kubelet runs the webhook's program as the pods of `helm test` ask for, with the
// rights of their ServiceAccount, and tells the API server how they ended; until it is
// stopped.
func (w *world) kubelet(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		ran := map[string]bool{}
		for ; ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
			list, err := w.kube.CoreV1().Pods(system).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/component=test"})
			if err != nil {
				continue // it is asked again
			}
			for i := range list.Items {
				if p := &list.Items[i]; !ran[string(p.UID)] {
					ran[string(p.UID)] = true
					if err := w.runPod(ctx, t, p); err != nil && ctx.Err() == nil {
						t.Errorf("pod %s: %v", p.Name, err)
					}
				}
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}

func (w *world) runPod(ctx context.Context, t *testing.T, p *corev1.Pod) error {
	if len(p.Spec.Containers) != 1 || len(p.Spec.InitContainers) > 0 {
		return errors.New("it has other containers than one")
	}
	c := p.Spec.Containers[0]
	run, err := startProcess(w.dir, p.Name+"-"+string(p.UID), w.webhook, environment(c),
		append(c.Args, "--kubeconfig="+w.kubeconfig(t, p.Name, p.Spec.ServiceAccountName))...)
	if err != nil {
		return err
	}
	select {
	case <-run.ended:
	case <-ctx.Done():
		return errors.Join(ctx.Err(), run.cmd.Process.Kill())
	}
	t.Logf("%s %v: %s", p.Name, c.Args, run.output())
	p.Status.Phase = corev1.PodSucceeded
	if run.err != nil {
		p.Status.Phase = corev1.PodFailed
	}
	if _, err = w.kube.CoreV1().Pods(p.Namespace).UpdateStatus(ctx, p, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("tell that it is %s: %w", p.Status.Phase, err)
	}
	return nil
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	// rate is the pods that a load makes each second, a burst of them at a time:
	// that takes several connections, and is bearable for two cores.
	rate, burst = 100, 5
	// atOnce bounds those under way.
	atOnce = 64
	// patience is for what the API server notices at once.
	patience = 10 * time.Second
)

// A load makes pods by dry run until it is ended. A pod that is refused, or not
// injected, is lost.
type load struct {
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu     sync.Mutex
	made   int
	lost   []error
	longer time.Duration // the longest that one took
}

func (w *world) load(t *testing.T) *load {
	t.Helper()
	cfg := rest.CopyConfig(w.admin)
	cfg.UserAgent = "load"
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	l := &load{stop: stop}
	t.Cleanup(func() { stop(); l.wg.Wait() })
	slots := make(chan struct{}, atOnce)
	l.wg.Go(func() {
		tick := time.NewTicker(burst * time.Second / rate)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			for range burst {
				slots <- struct{}{}
				l.wg.Go(func() {
					defer func() { <-slots }()
					start := time.Now()
					// One under way at the end is brought to its end.
					_, err := w.dryRun(context.WithoutCancel(ctx), kube, pod("settled", "sidecar", "n3"))
					l.note(err, time.Since(start))
				})
			}
		}
	})
	return l
}

func (l *load) note(err error, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made++
	l.longer = max(l.longer, took)
	if err != nil {
		l.lost = append(l.lost, err)
	}
}

// end waits for the last pod; not one may be lost.
func (l *load) end(t *testing.T) {
	t.Helper()
	l.stop()
	l.wg.Wait()
	t.Logf("%d pods made, %d lost, the slowest in %v", l.made, len(l.lost), l.longer.Round(time.Millisecond))
	if l.made < rate/2 {
		t.Errorf("%d pods are no load", l.made)
	}
	if len(l.lost) > 0 {
		t.Errorf("%d of %d admissions lost; the first: %v\n%s", len(l.lost), l.made, errors.Join(l.lost[:min(3, len(l.lost))]...), cluster.api.tail())
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// A watcher answers its watches one after the other: f fails, b breaks off with an
// error, w tells of a change and ends. At the last it cancels.
type watcher struct {
	Configurations
	ways   string
	cancel func()
}

func (c *watcher) Watch(context.Context, metav1.ListOptions) (watch.Interface, error) {
	way := c.ways[0]
	if c.ways = c.ways[1:]; c.ways == "" {
		defer c.cancel()
	}
	w := watch.NewFakeWithChanSize(1, false)
	switch way {
	case 'f':
		return nil, errors.New("refused for a test")
	case 'b':
		w.Error(&metav1.Status{Status: metav1.StatusFailure, Message: "broken for a test"})
	default:
		w.Modify(configuration())
		w.Stop()
	}
	return w, nil
}

// TestAFailingWatchIsToldOnce: not at each try, and again after one that worked. The
// last watch of each is cut short by the end.
func TestAFailingWatchIsToldOnce(t *testing.T) {
	for _, tt := range []struct {
		ways string
		want []string
	}{
		{"wwww", nil},
		{"fffw", []string{"refused for a test"}},
		{"bbbw", []string{"broken for a test"}},
		{"ffbw", []string{"refused for a test"}},
		{"ffwbw", []string{"refused for a test", "broken for a test"}},
	} {
		t.Run(tt.ways, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var log bytes.Buffer
				m := &Manager{
					Configurations: &watcher{ways: tt.ways, cancel: cancel}, ConfigurationName: "registrar",
					Log: slog.New(slog.NewTextHandler(&log, nil)),
				}
				changed := make(chan struct{}, 1)
				m.watch(ctx, changed)
				var got []string
				for line := range strings.Lines(log.String()) {
					for _, why := range []string{"refused for a test", "broken for a test"} {
						if strings.Contains(line, why) && strings.Contains(line, "MutatingWebhookConfiguration registrar") {
							got = append(got, why)
						}
					}
				}
				if !slices.Equal(got, tt.want) || strings.Count(log.String(), "\n") != len(tt.want) {
					t.Errorf("told %q, want %q:\n%s", got, tt.want, &log)
				}
				if strings.Contains(tt.ways[:len(tt.ways)-1], "w") && len(changed) == 0 {
					t.Error("a change was not told")
				}
			})
		})
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
)

// watch tells of each change of the configuration, until ctx ends. What it
// misses, the next round finds; so a watch that fails is tried again and told
// once, until one has not failed.
func (m *Manager) watch(ctx context.Context, changed chan<- struct{}) {
	o := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, m.ConfigurationName).String()}
	told := false
	for ctx.Err() == nil {
		w, err := m.Configurations.Watch(ctx, o)
		if err == nil {
			err = follow(ctx, w, changed)
		}
		if err != nil && !told && ctx.Err() == nil {
			m.Log.Warn("webhook configuration not watched", "error", fmt.Errorf("watch MutatingWebhookConfiguration %s: %w", m.ConfigurationName, err),
				"consequence", "a CA bundle that somebody empties is put back within two minutes, not at once")
		}
		told = err != nil
		select {
		case <-ctx.Done():
		case <-time.After(retryCap/2 + rand.N(retryCap)):
		}
	}
}

// follow passes on what a watch tells until it ends, and the error that ends it.
func follow(ctx context.Context, w watch.Interface, changed chan<- struct{}) error {
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case event, open := <-w.ResultChan():
			if !open {
				return nil
			}
			if event.Type == watch.Error {
				return apierrors.FromObject(event.Object)
			}
			select {
			case changed <- struct{}{}:
			default:
			}
		}
	}
}

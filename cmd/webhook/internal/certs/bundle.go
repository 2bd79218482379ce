// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// Configurations is what of MutatingWebhookConfigurations is used.
type Configurations interface {
	Get(ctx context.Context, name string, o metav1.GetOptions) (*admissionregistrationv1.MutatingWebhookConfiguration, error)
	Patch(ctx context.Context, name string, t types.PatchType, data []byte, o metav1.PatchOptions, sub ...string) (*admissionregistrationv1.MutatingWebhookConfiguration, error)
	Watch(ctx context.Context, o metav1.ListOptions) (watch.Interface, error)
}

// announce puts the authorities into each webhook of the configuration, if they
// are not there. The patch names what it changes and tests that it is where it
// was: a configuration that somebody changes in between is looked at again.
func (m *Manager) announce(ctx context.Context, cas []byte) error {
	c, err := m.Configurations.Get(ctx, m.ConfigurationName, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("read MutatingWebhookConfiguration %s: %w", m.ConfigurationName, err)
	}
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value"`
	}
	var ops []operation
	for i, w := range c.Webhooks {
		if bytes.Equal(w.ClientConfig.CABundle, cas) {
			continue
		}
		at := fmt.Sprintf("/webhooks/%d", i)
		ops = append(ops, operation{"test", at + "/name", w.Name}, operation{"add", at + "/clientConfig/caBundle", cas})
	}
	if len(ops) == 0 {
		return nil
	}
	patch, err := json.Marshal(ops)
	if err != nil {
		return fmt.Errorf("write the patch of %s: %w", m.ConfigurationName, err)
	}
	if _, err := m.Configurations.Patch(ctx, m.ConfigurationName, types.JSONPatchType, patch, metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("put the CA bundle into MutatingWebhookConfiguration %s: %w", m.ConfigurationName, err)
	}
	m.Log.Info("CA bundle put into the webhook configuration", "configuration", m.ConfigurationName)
	return nil
}

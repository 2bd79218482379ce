// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The keys of the Secret that the replicas share.
const (
	secretCAs   = "ca.crt"
	secretCAKey = "ca.key"
)

// Secrets is what of a namespace's Secrets is used; client-go's has it.
type Secrets interface {
	Get(ctx context.Context, name string, o metav1.GetOptions) (*corev1.Secret, error)
	Create(ctx context.Context, s *corev1.Secret, o metav1.CreateOptions) (*corev1.Secret, error)
	Update(ctx context.Context, s *corev1.Secret, o metav1.UpdateOptions) (*corev1.Secret, error)
}

// agree reads the shared state, brings it up to date and writes it. Another
// replica that does the same at the same time wins or loses by the Secret's
// resource version; who loses reads again the next time. So no leader is needed.
func (m *Manager) agree(ctx context.Context) (State, error) {
	secret, err := m.Secrets.Get(ctx, m.SecretName, metav1.GetOptions{})
	missing := apierrors.IsNotFound(err)
	if missing {
		secret = &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: m.SecretName}}
	} else if err != nil {
		return State{}, fmt.Errorf("read Secret %s: %w", m.SecretName, err)
	}
	was := State{CAs: secret.Data[secretCAs], CAKey: secret.Data[secretCAKey], Cert: secret.Data[certFile], Key: secret.Data[keyFile]}
	next, err := m.Policy.Next(was, m.now())
	if err != nil || next.equal(was) {
		return next, err
	}
	secret = secret.DeepCopy()
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	for name, value := range map[string][]byte{secretCAs: next.CAs, secretCAKey: next.CAKey, certFile: next.Cert, keyFile: next.Key} {
		secret.Data[name] = value
	}
	if missing {
		_, err = m.Secrets.Create(ctx, secret, metav1.CreateOptions{})
	} else {
		_, err = m.Secrets.Update(ctx, secret, metav1.UpdateOptions{})
	}
	if err != nil {
		return State{}, fmt.Errorf("write Secret %s: %w", m.SecretName, err)
	}
	m.Log.Info("certificates renewed", "secret", m.SecretName)
	return next, nil
}

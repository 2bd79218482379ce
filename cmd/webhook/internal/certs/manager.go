// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

const (
	// syncInterval is how often the Secret is read: a replica serves what
	// another one renewed within this time, and has a month for it.
	syncInterval = time.Minute
	// retryBase and retryCap bound the wait after a failure.
	retryBase, retryCap = 200 * time.Millisecond, 10 * time.Second
	// syncTimeout bounds one round of calls to the API server.
	syncTimeout = 20 * time.Second
)

// A Manager makes and renews certificates and makes their authorities known.
// Every replica has one; they agree through the Secret.
type Manager struct {
	Secrets           Secrets
	SecretName        string
	Configurations    Configurations
	ConfigurationName string
	Policy            Policy
	Pair              *Pair
	Log               *slog.Logger
	// Failed counts rounds that failed; nil for none.
	Failed func()
	// Now is the clock; nil for time.Now.
	Now func() time.Time

	done atomic.Bool
}

func (m *Manager) now() time.Time {
	if m.Now != nil {
		return m.Now()
	}
	return time.Now()
}

// Ready says that a certificate is served which the API servers trust.
func (m *Manager) Ready() bool { return m.done.Load() }

// Run keeps at it until ctx ends. A change of the configuration, such as an
// upgrade by Helm that empties the CA bundle, is mended at once.
func (m *Manager) Run(ctx context.Context) error {
	changed := make(chan struct{}, 1)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		m.watch(ctx, changed)
	}()
	defer func() { <-watching }()
	failures := 0
	for {
		wait := syncInterval/2 + rand.N(syncInterval)
		if err := m.Sync(ctx); err == nil {
			failures = 0
		} else if ctx.Err() == nil {
			failures++
			wait = min(retryCap, retryBase<<min(failures, 10))
			m.Log.Error("certificates not kept", "error", err, "retry", wait.String())
			if m.Failed != nil {
				m.Failed()
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-time.After(wait):
		}
	}
}

// Sync does one round: agree on the state, make its authorities known, serve its
// certificate; in this order, so that nothing is served before it is trusted.
func (m *Manager) Sync(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, syncTimeout)
	defer cancel()
	s, err := m.agree(ctx)
	if err != nil {
		return err
	}
	if err := m.announce(ctx, s.CAs); err != nil {
		return err
	}
	another, err := m.Pair.Set(s.Cert, s.Key)
	if err != nil {
		return err
	}
	if another {
		m.Log.Info("certificate loaded", "source", "Secret "+m.SecretName, "expires", m.Pair.Expiry())
	}
	m.done.Store(true)
	return nil
}

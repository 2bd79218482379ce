// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package warm

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
)

const (
	// refreshAhead is how long before their end credentials are fetched anew.
	// STS gives an hour by default, EKS Pod Identity and instance roles six; a
	// source that is down for ten minutes is not noticed by any call.
	refreshAhead = 10 * time.Minute
	// refreshShare bounds that for short-lived ones: a third of their life.
	refreshShare = 3
	// refreshRetryMin and refreshRetryMax bound the pause after a fetch that
	// brought nothing newer. IMDS has new ones only five minutes before the
	// end (EC2 user guide), and until then gives the old ones again.
	refreshRetryMin, refreshRetryMax = 5 * time.Second, time.Minute
	// refreshMin keeps credentials that hardly live from a busy loop.
	refreshMin = time.Second
	// refreshTimeout bounds one fetch; a call waits for its own.
	refreshTimeout = 30 * time.Second
	// stability is how long expired credentials of an instance role are used
	// on while IMDS gives no others: EC2 honours them then. The SDK does so by
	// itself, for 5 to 15 min, but only as long as its cache keeps the old ones.
	stability = 10 * time.Minute
)

// Credentials are those of a source, held and renewed ahead by Run, so that no
// call waits for the source, and a source that fails is not noticed until the
// last ones have expired. Without Run they are those of the source.
type Credentials struct {
	source aws.CredentialsProvider
	held   atomic.Pointer[held]
}

type held struct {
	aws.Credentials
	due time.Time // when to fetch the next
}

// NewCredentials wraps a source, such as aws.Config's Credentials. The SDK's
// own cache fetches only when a call asks, and lets that call wait.
func NewCredentials(source aws.CredentialsProvider) *Credentials {
	return &Credentials{source: source}
}

// Retrieve implements aws.CredentialsProvider.
func (c *Credentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if h := c.held.Load(); h != nil && !h.Expired() {
		return h.Credentials, nil
	}
	got, err := c.source.Retrieve(ctx)
	if err == nil {
		return got, nil
	}
	if h := c.held.Load(); h != nil && h.Source == ec2rolecreds.ProviderName {
		longer := *h
		longer.Expires = time.Now().Add(stability)
		c.held.CompareAndSwap(h, &longer)
		return longer.Credentials, nil
	}
	return aws.Credentials{}, err
}

// Refused says that AWS takes what Retrieve gave for expired, whatever its date:
// the next call asks the source.
func (c *Credentials) Refused() {
	if h := c.held.Load(); h != nil && h.CanExpire {
		dead := *h
		dead.Expires = time.Now()
		c.held.CompareAndSwap(h, &dead)
	}
	c.forget()
}

// forget has the SDK's cache, where there is one, ask its source.
func (c *Credentials) forget() {
	if cache, ok := c.source.(interface{ Invalidate() }); ok {
		cache.Invalidate()
	}
}

// ProviderSources implements aws.CredentialProviderSource: the SDK tells EC2
// in its User-Agent where credentials come from.
func (c *Credentials) ProviderSources() []aws.CredentialSource {
	if s, ok := c.source.(aws.CredentialProviderSource); ok {
		return s.ProviderSources()
	}
	return nil
}

// Run fetches at once, and then again before each expiry, until ctx ends. A
// source that fails is told once and asked again; what is held is used to its
// end. random gives numbers in [0, 1), so that pods that started together do not
// ask STS together.
func (c *Credentials) Run(ctx context.Context, log *slog.Logger, random func() float64) {
	failures, told := 0, false
	for {
		news, err := c.renew(ctx, random)
		if ctx.Err() != nil {
			return
		}
		h := c.held.Load()
		var wait time.Duration
		switch {
		case err == nil && news && !h.CanExpire:
			return
		case err == nil && news:
			if told {
				log.Info("credentials renewed", "expires", expires(h))
			}
			failures, told, wait = 0, false, max(time.Until(h.due), refreshMin)
		default:
			if err != nil && !told {
				log.Warn("credentials not renewed", "error", err, "expires", expires(h))
				told = true
			}
			wait = pause(refreshRetryMin, refreshRetryMax, failures, random())
			failures++
		}
		if !sleep(ctx, wait) {
			return
		}
	}
}

// renew asks the source itself, past the SDK's cache, while calls go on with
// what is held. news says that what came lasts longer.
func (c *Credentials) renew(ctx context.Context, random func() float64) (news bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	if c.held.Load() != nil {
		c.forget()
	}
	got, err := c.source.Retrieve(ctx)
	if err != nil {
		return false, fmt.Errorf("fetch credentials: %w", err)
	}
	if !got.CanExpire {
		c.held.Store(&held{Credentials: got})
		return true, nil
	}
	left := time.Until(got.Expires)
	if old := c.held.Load(); left <= 0 || old != nil && !got.Expires.After(old.Expires) {
		return false, nil
	}
	ahead := min(refreshAhead, left/refreshShare)
	ahead += time.Duration(random() * float64(ahead) / 2)
	c.held.Store(&held{got, got.Expires.Add(-ahead)})
	return true, nil
}

func expires(h *held) string {
	if h == nil {
		return "none are held"
	}
	return h.Expires.Format(time.RFC3339)
}

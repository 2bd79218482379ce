// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package imdsapi

import (
	"crypto/rand"
	"encoding/base64"
	"maps"
	"sync"
	"time"
)

// tokenBytes is how many random bytes a token has.
const tokenBytes = 40

// tokens are the sessions that are open.
type tokens struct {
	mu  sync.Mutex
	end map[string]time.Time
}

// issue returns a new token that is good for ttl.
func (t *tokens) issue(ttl time.Duration) string {
	b := make([]byte, tokenBytes)
	_, _ = rand.Read(b) // never fails, says crypto/rand
	token := base64.URLEncoding.EncodeToString(b)
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.end == nil {
		t.end = map[string]time.Time{}
	}
	maps.DeleteFunc(t.end, func(_ string, end time.Time) bool { return !now.Before(end) })
	t.end[token] = now.Add(ttl)
	return token
}

// left is how long a token is still good for; ok is false when it is not.
func (t *tokens) left(token string) (left time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	left = time.Until(t.end[token])
	return left, left > 0
}

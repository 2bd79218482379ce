// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"testing"
	"time"
)

// TestRetryBelow: the first retry comes at once, a cluster that starts all at
// once becomes patient, a failover never does.
func TestRetryBelow(t *testing.T) {
	for _, c := range []struct {
		attempts int
		waited   time.Duration
		urgent   bool
		want     time.Duration
	}{
		{0, 0, false, RetryBase},
		{0, time.Hour, false, RetryBase},
		{5, 10 * time.Second, false, 3200 * time.Millisecond},
		{6, 10 * time.Second, false, RetryCap},
		{1000, 50 * time.Second, false, RetryCap},
		{1000, 10 * time.Minute, false, time.Minute},
		{1000, time.Hour, false, 6 * time.Minute},
		{0, time.Hour, true, RetryBase},
		{1000, time.Hour, true, UrgentRetryCap},
	} {
		if got := RetryBelow(c.attempts, c.waited, c.urgent); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

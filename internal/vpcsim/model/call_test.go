// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"testing"
	"time"
)

func TestInHandCountsWhatOverlapsOnce(t *testing.T) {
	const ms = time.Millisecond
	zero := time.Now()
	at := func(d time.Duration) time.Time { return zero.Add(d * ms) }
	calls := []Call{
		{Time: at(10), Duration: 100 * ms, Done: true}, {Time: at(-5), Duration: 20 * ms, Done: true},
		{Time: at(20), Duration: 10 * ms, Done: true}, {Time: at(150)},
	}
	if got := InHand(calls, zero, at(200)); got != 160*ms {
		t.Errorf("in hand for %v, want 110 ms and, of the call under way, 50 ms", got)
	}
}

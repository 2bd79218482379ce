// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
)

// A backoff is a change to the ledger's retries that is tried out. It works
// through the random numbers that the ledger draws its delays from, so the
// ledger itself is the real one. The zero value changes nothing.
type backoff struct {
	// limit takes the place of ledger.RetryCap, until the pod is routed for
	// the first time: a failover is never slowed down.
	limit time.Duration
	// share lets the cap grow with the time that the pod has waited: it is this
	// share of it where that is more than RetryCap.
	share float64
	// urgent is the cap of a pod that was routed before: of a failover.
	urgent time.Duration
	// merge lets a refused call wait for those of its ENI and family that wait
	// already, so that they leave as one.
	merge bool
}

// below is what full jitter is drawn below after so many refusals in a row.
func (b backoff) below(fails int, waited time.Duration, routed bool) time.Duration {
	if routed && b.urgent > 0 {
		return double(fails, b.urgent)
	}
	if !b.changes() || routed {
		return double(fails, ledger.RetryCap)
	}
	return double(fails, max(ledger.RetryCap, b.limit, time.Duration(b.share*float64(waited))))
}

func (b backoff) changes() bool { return b.limit > 0 || b.share > 0 }

// double is what the ledger's own full jitter is drawn below.
func double(fails int, limit time.Duration) time.Duration {
	d := ledger.RetryBase
	for ; fails > 0 && d < limit; fails-- {
		d *= 2
	}
	return min(d, limit)
}

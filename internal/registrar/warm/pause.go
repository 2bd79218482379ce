// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package warm

import (
	"context"
	"time"
)

// pause doubles from least to most with each failure, less up to a half.
func pause(least, most time.Duration, failures int, random float64) time.Duration {
	d := most
	if failures < 16 {
		d = min(most, least<<failures)
	}
	return d - time.Duration(random*float64(d)/2)
}

// sleep says whether the time passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

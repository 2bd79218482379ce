// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import "time"

// fullJitter is a random time below base·2^attempt, itself at most limit.
func (l *Ledger) fullJitter(attempt int, base, limit time.Duration) time.Duration {
	return l.jittered(double(base, attempt, limit), l.rand())
}

// jittered is the share of a delay.
func (l *Ledger) jittered(below time.Duration, share float64) time.Duration {
	return max(retryFloor, time.Duration(share*float64(below)))
}

// RetryBelow is what the delay before a retry of a transient refusal is drawn
// below, after so many refusals in a row before this one and so long a wait.
func RetryBelow(attempts int, waited time.Duration, urgent bool) time.Duration {
	if urgent {
		return double(RetryBase, attempts, UrgentRetryCap)
	}
	return double(RetryBase, attempts, max(RetryCap, waited/RetryShare))
}

// stretch is what part of a time is added to it at most, by jitter.
const stretch = 10

// stretched is d and up to a tenth more, so that many clients do not call in step.
func (l *Ledger) stretched(d time.Duration) time.Duration {
	return d + time.Duration(l.rand()*float64(d)/stretch)
}

// between is a random time from low to high.
func (l *Ledger) between(low, high time.Duration) time.Duration {
	return low + time.Duration(l.rand()*float64(high-low))
}

// double is base·2^times, at most limit, without overflow.
func double(base time.Duration, times int, limit time.Duration) time.Duration {
	for ; times > 0 && base < limit; times-- {
		base *= 2
	}
	return min(base, limit)
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"strings"
	"time"
)

// A bucket is a token bucket of the EC2 API.
type bucket struct {
	size   float64
	refill float64 // tokens per second
	tokens float64
	last   time.Time
}

// at is how many tokens there are by now.
func (b *bucket) at(now time.Time) float64 {
	return min(b.size, b.tokens+now.Sub(b.last).Seconds()*b.refill)
}

// take takes one token, or says that there is none. With greedy a refused call
// takes what there is of one.
func (b *bucket) take(now time.Time, greedy bool) bool {
	b.tokens, b.last = b.at(now), now
	if b.tokens < 1 {
		if greedy {
			b.tokens = 0
		}
		return false
	}
	b.tokens--
	return true
}

// take takes a token for a call, or says that there is none. It wants mu.
func (v *VPC) take(r request) bool {
	now := v.now()
	return v.bucket(r, now).take(now, v.assume.RefusedCallsCost)
}

// BucketSize returns size and refill per second of an action's bucket. Each is
// per account, Region and action. Source: EC2 API reference, request throttling.
func BucketSize(action string, unfiltered bool) (size, refill float64) {
	switch action {
	case "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses", "AssignIpv6Addresses",
		"CreateNetworkInterface", "ModifyNetworkInterfaceAttribute":
		return 100, 5
	case "CreateTags":
		return 100, 10
	case "CreateSubnetCidrReservation":
		return 5, 1
	case "DescribeNetworkInterfaces":
		if unfiltered {
			return 50, 10
		}
	}
	if strings.HasPrefix(action, "Describe") || strings.HasPrefix(action, "Get") {
		return 100, 20
	}
	return 50, 5
}

// bucket is the bucket that a call draws from. It wants mu.
func (v *VPC) bucket(r request, now time.Time) *bucket {
	key := r.action
	if r.unfiltered {
		key += "/unfiltered"
	}
	b := v.buckets[key]
	if b == nil {
		size, refill := BucketSize(r.action, r.unfiltered)
		b = &bucket{size: size, refill: refill, tokens: size, last: now}
		v.buckets[key] = b
	}
	return b
}

// Tokens is how many tokens the bucket of an action has now; Describes count
// as filtered.
func (v *VPC) Tokens(action string) float64 {
	v.mu.RLock()
	defer v.mu.RUnlock()
	b := v.buckets[action]
	if b == nil {
		size, _ := BucketSize(action, false)
		return size
	}
	return b.at(v.now())
}

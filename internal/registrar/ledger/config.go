// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// What the retries and look-ups are made of. AWS facts: docs/aws-facts.md.
const (
	// RetryBase bounds the first retry of a transient failure: with full
	// jitter it comes within this time, so that a failover hardly notices.
	RetryBase = 100 * time.Millisecond
	// RetryCap bounds every later one. EC2 refills 5 calls a second; the SDK's
	// own 20 s would be a 20 s outage of a floating IP.
	RetryCap = 5 * time.Second
	// RetryShare lets that bound grow to the tenth part of the time that was
	// waited in vain: when a whole cluster starts at once most retries would
	// find an empty bucket, and a failover among them its place taken. make
	// scale measures it.
	RetryShare = 10
	// UrgentRetryCap bounds those of a floating IP: somebody waits for it.
	UrgentRetryCap = 500 * time.Millisecond
	// retryFloor keeps full jitter from retrying at once.
	retryFloor = 5 * time.Millisecond

	// DeniedMin and DeniedMax bound the retries after refused credentials: IAM
	// is eventually consistent and tokens rotate, but not within seconds.
	DeniedMin, DeniedMax = 30 * time.Second, 60 * time.Second

	// CooldownDelay is what the Amazon VPC CNI waits when a subnet has no room.
	CooldownDelay = 120 * time.Second

	// PermanentBase and PermanentCap bound the slow retries of refusals that
	// somebody has to cure; they notice the cure without anybody's restart.
	PermanentBase, PermanentCap = 30 * time.Second, 5 * time.Minute

	// DefaultHoldDown and DefaultHoldDownMax: see Config.HoldDown.
	DefaultHoldDown, DefaultHoldDownMax = 10 * time.Second, 5 * time.Minute

	// holdDownReset is how long an address must have been ours before its
	// hold-down starts small again. It is longer than the longest hold-down
	// and IMDS's staleness together, or a slow fight would never slow down.
	holdDownReset = 10 * time.Minute

	// DefaultHintInterval is how often IMDS is asked which addresses an ENI
	// has. It is free of EC2 quota; its answer is a hint only. It is shorter
	// than the hold-down, so that an address is seen before a rival may take it
	// again: only what was seen can be missed soon.
	DefaultHintInterval = 5 * time.Second

	// DefaultDescribeInterval is how often EC2 is asked instead, where IMDS
	// does not answer.
	DefaultDescribeInterval = 4 * time.Minute

	// routeInterval is how often EC2 is asked of routes, at least: IMDS does not
	// know them, and a rival that took them and is gone tells nobody. It is about
	// as long as IMDS may be stale about an address. 1,000 active pods make 17
	// calls a second then, where EC2 allows an account 20.
	routeInterval = time.Minute

	// imdsLag is how long IMDS may go without showing an address that EC2 has
	// acknowledged before that counts as a hint that it is lost. 30 to 60 s
	// were reported; a longer lag costs one Describe per lag, a shorter wait
	// would cost one per address.
	imdsLag = 75 * time.Second

	// tagInterval is how often an ENI without its tag is described again.
	tagInterval = time.Minute

	// historyLength is how many released addresses the status still shows.
	historyLength = 32
)

// Config is what a user can choose.
type Config struct {
	// Interfaces are the names of the interfaces to look after; each must
	// come to have an address before the pod is ready. Empty: all but the
	// default one and those that can lie on no ENI (tunnels, dummies).
	Interfaces []string
	// DefaultInterfaces are the names that the pod's cluster interface may
	// have; they are never looked after.
	DefaultInterfaces []string
	// RequireAddress says that a pod without any address is not ready.
	RequireAddress bool
	// NeverRelease leaves addresses on their ENI when they go.
	NeverRelease bool
	// Floating names the floating IPs, and where they are routed.
	Floating Floating
	// Siblings says that registrars on the same ENI can be talked to.
	Siblings bool
	// Policy says which ENIs may be touched.
	Policy eniassign.Policy
	// HoldDown is how long an address that another ENI took is left alone
	// before it is claimed again; it doubles each time up to HoldDownMax.
	HoldDown, HoldDownMax time.Duration
	// HintInterval is the time between two looks at IMDS.
	HintInterval time.Duration
	// DescribeInterval is the time between two filtered Describes where IMDS
	// does not answer, and of routes, which are looked at each minute in any
	// case; 0 turns them off.
	DescribeInterval time.Duration
}

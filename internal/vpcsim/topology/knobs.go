// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"net/netip"
	"time"
)

// EC2 is how the EC2 API behaves. The zero value is an API that answers at
// once, never throttles, and whose data plane follows at once.
type EC2 struct {
	// Latency is how long a call takes: half passes before the work is done,
	// half after.
	Latency time.Duration `yaml:"latency"`
	// Jitter is the most that is added to Latency, drawn evenly per call.
	Jitter time.Duration `yaml:"jitter"`
	// Throttle turns on the token buckets of the EC2 API.
	Throttle bool `yaml:"throttle"`
	// RemapDelay is how long the data plane takes to follow a call.
	RemapDelay time.Duration `yaml:"remap-delay"`
	// RemapJitter is the most that is added to RemapDelay, drawn evenly per address.
	RemapJitter time.Duration `yaml:"remap-jitter"`
	// Address is where the endpoint listens inside of the VPC; the default is
	// DefaultEC2Address.
	Address netip.AddrPort `yaml:"address"`
	// Deny are the permissions that callers do not have.
	Deny []Denial `yaml:"deny"`
}

// A Denial takes actions away from one caller, or from all.
type Denial struct {
	// AccessKey is the caller's access key id; "" is everybody.
	AccessKey string `yaml:"access-key"`
	// Worker is the name of a worker whose instance role is meant.
	Worker string `yaml:"worker"`
	// Actions are EC2 actions, "*" and "?" match as in IAM.
	Actions []string `yaml:"actions"`
}

// IMDS is how the instance metadata services behave.
type IMDS struct {
	// Staleness is how far IMDS' address lists lie in the past.
	Staleness time.Duration `yaml:"staleness"`
	// CredentialsLast is how long the credentials of an instance role are good
	// for at most, at least 2s; 0 is EC2's 6h. IMDS has new ones at half-time.
	CredentialsLast time.Duration `yaml:"credentials-last"`
}

// DefaultEC2Address is where the EC2 endpoint listens when the file does not
// say: an address that RFC 5737 keeps for documentation, so that it collides
// with nobody's VPC.
var DefaultEC2Address = netip.MustParseAddrPort("192.0.2.10:80")

// IMDSAddress is where IMDS listens, on every instance. Source: EC2 user guide.
var IMDSAddress = netip.MustParseAddrPort("169.254.169.254:80")

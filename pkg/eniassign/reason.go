// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

// A Class says how a refusal is to be treated; the caller's retries hang on it.
type Class string

// The classes of refusals.
const (
	// Transient: throttling, 5xx, connection errors. Retry soon, with full jitter.
	Transient Class = "Transient"
	// Contested: another ENI holds the address and Hold does not steal.
	Contested Class = "Contested"
	// Denied: credentials are missing, expired or not allowed to do this.
	// Retry slowly, in 30 to 60 s: IAM is eventually consistent, tokens rotate.
	Denied Class = "Denied"
	// Cooldown: the subnet has no room now. Retry after 120 s, as the VPC CNI does.
	Cooldown Class = "Cooldown"
	// Gone: the ENI does not exist any more. Take the inventory again.
	Gone Class = "Gone"
	// Permanent: this request will be refused until somebody changes
	// something. Report once, retry slowly.
	Permanent Class = "Permanent"
)

// A Code is a constant name of a reason, for metrics, status and
// troubleshooting pages: "EC2Throttled", "ENIFull", "AddressIsPrimary" ….
// Codes lists them.
type Code string

// A Reason says why an address is not where it should be, and what cures it.
type Reason struct {
	Code  Code
	Class Class
	// Text is one sentence that names the address, the ENI and what was said.
	Text string
	// Cure is one sentence that tells a platform engineer what to do; "" where
	// waiting is all there is to do.
	Cure string
	// EC2Code is the error code that EC2 answered with, "" where it did not answer.
	EC2Code string
	// Owner is the ENI that holds the address, "" where it is not known.
	Owner string
}

// String is the text and the cure.
func (r *Reason) String() string {
	if r.Cure == "" {
		return r.Text
	}
	return r.Text + " " + r.Cure
}

// An Error is a failed question (Inventory, Describe, Hint) with its reason.
type Error struct {
	Why *Reason
	// Err is what IMDS or the SDK said, for errors.Is and errors.As.
	Err error
}

func (e *Error) Error() string { return e.Why.String() }

// Unwrap is the error of IMDS or of the SDK.
func (e *Error) Unwrap() error { return e.Err }

// Reason says why, and what cures it.
func (e *Error) Reason() *Reason { return e.Why }

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/aws/smithy-go"
)

// A scope says which addresses of a refused request a refusal speaks of, and
// so what to do with the others.
type scope int

const (
	// wholeRequest: all of them, and no smaller request would fare better.
	wholeRequest scope = iota
	// oneAddress: at least one; split.
	oneAddress
	// maybeOwned: at least one, which another ENI may hold; look the owner up.
	maybeOwned
	// inPrefix: at least one lies in a delegated prefix, our own perhaps.
	inPrefix
	// eniFull: they do not all fit.
	eniFull
	// notThere: at least one is not on the ENI; a released address, then.
	notThere
	// allGone: the ENI is gone, and all its addresses with it.
	allGone
	// routeMissing, routeThere: the route to be replaced or deleted does not
	// exist, the route to be created does.
	routeMissing
	routeThere
)

// A request is what was asked of EC2, for the sentences about it.
type request struct {
	action string // the IAM action without "ec2:"
	verb   Verb
	family Family
	eni    string // "" for questions
	table  string // the route table, "" where it is not about routes
}

// A verdict is what an answer of EC2 means.
type verdict struct {
	request
	rule
	lead    string // the beginning of the sentence: "EC2 refused to"
	said    string // what EC2 or the network said, one line
	ec2Code string
	named   []netip.Addr // the addresses that the message names
	inDoubt bool
}

// judge says what err means. It is the only place that reads errors of EC2 and
// of the SDK.
func judge(err error, req request) verdict {
	v := verdict{request: req, lead: "EC2 refused to"}
	if rule, said, ok := judgeCredentials(err); ok {
		v.rule, v.said, v.lead = rule, said, "No credentials to ask EC2 to"
		return v
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		judgeTransport(err, &v)
		return v
	}
	v.ec2Code = strings.TrimPrefix(strings.TrimPrefix(api.ErrorCode(), "Client."), "Server.")
	v.named = addressesIn(api.ErrorMessage())
	v.said = oneLine(api.ErrorMessage())
	status := httpStatus(err)
	known := rules()
	if req.table != "" {
		known = append(routeRules(), known...)
	}
	for _, r := range known {
		if r.matches(v.ec2Code, v.said) {
			v.rule = r
			break
		}
	}
	switch {
	case v.rule.code != "":
	case status == 429:
		v.rule = rule{code: EC2Throttled, class: Transient}
	case status >= 500 || api.ErrorFault() == smithy.FaultServer:
		v.rule = rule{code: EC2Unavailable, class: Transient}
	case status == 0 || status >= 400:
		v.rule = unknownRefusal()
	default: // an error in an answer of success: nobody knows what was done
		v.rule = rule{code: EC2NoAnswer, class: Transient}
		v.inDoubt = true
	}
	// A fault of EC2's own says nothing of what was done before it; "busy" and
	// "throttled" do.
	if v.code == EC2Unavailable && !strings.HasSuffix(v.ec2Code, "Unavailable") {
		v.inDoubt = true
	}
	if v.verb == Release && v.code == ENINotFound {
		v.scope = allGone
	}
	if v.class == Denied && skewed(err) {
		v.rule = rule{code: ClockSkew, class: Transient, cure: cureClock}
	}
	if v.family == IPv6 && v.table == "" && v.verb != Release {
		v.judgeIPv6()
	}
	return v
}

// judgeIPv6 sees to it that what is not documented of IPv6 addresses, because
// AssignIpv6Addresses has no AllowReassignment, is not taken for something else:
// what EC2 says of a full ENI, and of an address that another ENI holds.
func (v *verdict) judgeIPv6() {
	said := strings.ToLower(v.said)
	switch {
	case v.code == UnknownRefusal && (strings.Contains(said, "exceed") || strings.Contains(said, "maximum") || strings.Contains(said, "limit")):
		v.rule = rule{code: ENIFull, class: Permanent, scope: eniFull, cure: cureENIFull}
	case v.code == UnknownRefusal, v.scope == inPrefix:
		v.scope = maybeOwned
	}
}

// skewed says that the SDK found the clock wrong by an answer's Date, and has
// set its own right: the next request will do. Source: aws-sdk-go-v2,
// aws/retry, wrapAsClockSkew; that EC2 calls it AuthFailure: aws-sdk-java 519.
func skewed(err error) bool {
	var r interface{ RetryableError() bool }
	return errors.As(err, &r) && r.RetryableError()
}

// unknownRefusal is the verdict on a 4xx that no rule knows. It may be about
// one address, so a request that changes addresses is split.
func unknownRefusal() rule {
	return rule{
		code: UnknownRefusal, class: Permanent, scope: oneAddress,
		cure: cureUnknown,
	}
}

// httpStatus is the status of the answer that err came from, 0 where there is none.
func httpStatus(err error) int {
	var s interface{ HTTPStatusCode() int }
	if errors.As(err, &s) {
		return s.HTTPStatusCode()
	}
	return 0
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"errors"
	"net"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"
)

// imdsTimeout bounds the first answer of IMDS, the walk after it, and a hint,
// each. IMDS answers in milliseconds where it answers; where it is blocked a
// pod must not wait longer than this for the Describe that replaces it.
const imdsTimeout = time.Second

// imdsDisabled is the SDK's own switch, which its error names.
const imdsDisabled = "AWS_EC2_METADATA_DISABLED"

const (
	cureHopLimit     = "Set HttpPutResponseHopLimit to 2 in the metadata options of the instance or its launch template."
	cureIMDSBlocked  = "Let the pod reach 169.254.169.254 port 80 (network policy, iptables rules); without it ENIs are found by DescribeNetworkInterfaces."
	cureIMDSDisabled = "Take the variable out of the container's environment; without IMDS ENIs are found by DescribeNetworkInterfaces."
	cureIMDSFailed   = "Check that the instance's metadata options say HttpEndpoint enabled."
)

// probe makes the first request to IMDS, which also fetches the token, and
// lists the MAC addresses of this worker's ENIs. Where that fails it says what
// the way to IMDS is like.
func (c *Client) probe(ctx context.Context) ([]string, *Error) {
	ctx, cancel := context.WithTimeout(ctx, imdsTimeout)
	defer cancel()
	var way imdsWay
	text, err := c.read(way.trace(ctx), macsPath)
	if err != nil {
		return nil, way.explain(err)
	}
	var macs []string
	for _, s := range strings.Fields(text) {
		// What is not a MAC address must not become part of a path.
		if mac, err := net.ParseMAC(strings.TrimSuffix(s, "/")); err == nil && len(mac) == 6 {
			macs = append(macs, mac.String())
		}
	}
	return macs, nil
}

// An imdsWay is how far requests to IMDS came. The SDK's error does not tell,
// since it drops the chain of a failed token request.
type imdsWay struct {
	connected, sent, answered atomic.Bool
	refused                   atomic.Pointer[error]
}

// trace watches the requests of ctx. The hooks may run after the request has failed.
func (w *imdsWay) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		ConnectDone: func(_, _ string, err error) {
			if err != nil {
				w.refused.Store(&err)
			}
		},
		GotConn:              func(httptrace.GotConnInfo) { w.connected.Store(true) },
		WroteRequest:         func(i httptrace.WroteRequestInfo) { w.sent.Store(i.Err == nil) },
		GotFirstResponseByte: func() { w.answered.Store(true) },
	})
}

func (w *imdsWay) explain(err error) *Error {
	switch {
	case strings.Contains(err.Error(), imdsDisabled):
		return &Error{Err: err, Why: &Reason{Code: IMDSBlocked, Class: Permanent, Cure: cureIMDSDisabled,
			Text: "The environment variable " + imdsDisabled + " says that IMDS is not to be asked."}}
	case w.sent.Load() && !w.answered.Load():
		// The connection is made, the token's request is out, and the packets of
		// its answer die on their second hop.
		return &Error{Err: err, Why: &Reason{Code: IMDSHopLimit, Class: Permanent, Cure: cureHopLimit,
			Text: "IMDS accepted a connection but its token never arrived, as happens in a pod when the instance's hop limit is 1."}}
	case !w.connected.Load() && w.refused.Load() != nil:
		return &Error{Err: err, Why: &Reason{Code: IMDSBlocked, Class: Permanent, Cure: cureIMDSBlocked,
			Text: "IMDS cannot be reached from here: " + oneLine((*w.refused.Load()).Error()) + "."}}
	case !w.connected.Load() && errors.Is(err, context.DeadlineExceeded):
		return &Error{Err: err, Why: &Reason{Code: IMDSBlocked, Class: Permanent, Cure: cureIMDSBlocked,
			Text: "IMDS cannot be reached from here: no connection within " + imdsTimeout.String() + "."}}
	default:
		return imdsFailure(err, "list this worker's interfaces")
	}
}

// imdsFailure is the error of an IMDS that answers, but not as it should.
func imdsFailure(err error, doing string) *Error {
	return &Error{Err: err, Why: &Reason{Code: IMDSFailed, Class: Transient, Cure: cureIMDSFailed,
		Text: "IMDS could not be used to " + doing + ": " + oneLine(err.Error()) + "."}}
}

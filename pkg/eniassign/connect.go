// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// How long a part of an EC2 request may take. The SDK's own limits are 30 s to
// dial and none for the answer; a floating IP cannot wait for either.
const (
	// ec2DialTimeout outlives one lost SYN (sent again after 1 s).
	ec2DialTimeout = 2 * time.Second
	// ec2TLSTimeout is two round trips and a lost packet.
	ec2TLSTimeout = 3 * time.Second
	// ec2AnswerTimeout is ten times a slow Assign (about 1 s). After it the
	// request is in doubt.
	ec2AnswerTimeout = 10 * time.Second
	// ec2RequestTimeout ends a request whose answer has begun but never ends.
	ec2RequestTimeout = 15 * time.Second
	// ec2IdleTimeout is shorter than the 350 s after which NAT gateways and
	// interface endpoints forget a connection without telling.
	ec2IdleTimeout = 90 * time.Second
	// ec2UserTimeout is how long sent bytes may go without an acknowledgement
	// of TCP's before the connection counts as dead: four retransmissions. A
	// zone that fails takes EC2's front ends in it along without a word, and a
	// call on a connection to one would else wait for ec2AnswerTimeout.
	ec2UserTimeout = 2 * time.Second
	// ec2SessionCache is how many TLS sessions are remembered: a resumed
	// handshake needs no certificates, and a round trip less before TLS 1.3.
	ec2SessionCache = 8
)

// ec2KeepAlive finds a peer that has gone in about seven seconds, in the
// kernel, before a call does.
var ec2KeepAlive = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: time.Second, Count: 3}

// NewEC2 makes the EC2 client for Client.EC2. It never retries: the SDK's
// retryer sleeps up to 20 s and lives on a quota of 500 tokens, and when to
// call again is the caller's to decide. A cfg.HTTPClient of the caller's own
// kind is left as it is.
func NewEC2(cfg aws.Config) *ec2.Client { return NewLine(cfg).API }

// newEC2Transport sets the limits above, and tells lost about each connection
// that ends.
func newEC2Transport(b *awshttp.BuildableClient, lost func()) *http.Transport {
	return b.
		WithDialerOptions(func(d *net.Dialer) {
			d.Timeout = ec2DialTimeout
			d.KeepAliveConfig = ec2KeepAlive
			d.Control = setUserTimeout
		}).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = ec2TLSTimeout
			t.ResponseHeaderTimeout = ec2AnswerTimeout
			t.IdleConnTimeout = ec2IdleTimeout
			if t.TLSClientConfig == nil {
				t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
			}
			t.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(ec2SessionCache)
			t.DialContext = watched(t.DialContext, lost)
		}).
		GetTransport()
}

const (
	// imdsAttempts is two because a token that IMDS has forgotten is answered
	// with 401 and fetched anew only by a second attempt.
	imdsAttempts = 2
	// imdsRetryDelay is short because IMDS is on this machine.
	imdsRetryDelay = 20 * time.Millisecond
)

// NewIMDS makes the IMDS client for Client.IMDS: IMDSv2 only, never by way of
// a proxy, and quick to give up. Its time limits are those of the SDK: 250 ms
// to connect, 500 ms for an answer. A cfg.HTTPClient of the caller's own kind
// is left as it is.
func NewIMDS(cfg aws.Config) *imds.Client {
	return imds.NewFromConfig(cfg, func(o *imds.Options) {
		o.EnableFallback = aws.FalseTernary
		// Else the SDK puts a jitter of up to 1 s in the place of our delay.
		o.DisableDefaultMaxBackoff = true
		o.Retryer = retry.NewStandard(func(so *retry.StandardOptions) {
			so.MaxAttempts = imdsAttempts
			so.RateLimiter = ratelimit.None // the quota of a process that lives for months
			so.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) {
				return imdsRetryDelay, nil
			})
		})
		if o.HTTPClient == nil {
			o.HTTPClient = awshttp.NewBuildableClient()
		}
		if b, ok := o.HTTPClient.(*awshttp.BuildableClient); ok {
			o.HTTPClient = b.WithTransportOptions(func(t *http.Transport) { t.Proxy = nil })
		}
	})
}

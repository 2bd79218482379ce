// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// pingPaths are asked without a signature and without an action, so that EC2
// counts no call. What it answers is not documented: any HTTP answer will do
// that leaves the connection open. /ping is what latency meters on the web ask
// it for. A refused call is no choice: EC2 was seen to close the connection
// after one (HTTP 400, "Connection: close", in eksctl's debug logs).
var pingPaths = []string{"/ping", "/"}

const (
	// pingTimeout bounds a ping with everything that it may have to open.
	pingTimeout = 5 * time.Second
	// pingTogether bounds how long a ping holds its connection until the others
	// have theirs.
	pingTogether = 100 * time.Millisecond
	// pingBody is more than an answer to a ping can reasonably have.
	pingBody = 64 << 10
)

// ErrPingCloses says that EC2 closes the connection after each answer to a
// ping, whatever it is asked: pings cannot keep a connection open.
var ErrPingCloses = errors.New("EC2 closes the connection after each ping")

// A Line is the way to EC2: the client, and the connections below it. It may be
// used from any goroutine.
type Line struct {
	// API is the client for Client.EC2, as NewEC2 makes it.
	API *ec2.Client
	// Lost gets a value when a connection has ended, at most one until it is
	// read: how long no request had been on the line. It never does where
	// cfg.HTTPClient was of the caller's own kind.
	Lost <-chan time.Duration

	path atomic.Int32 // index in pingPaths
}

// NewLine makes a Line; cfg is as for NewEC2.
func NewLine(cfg aws.Config) *Line {
	lost := make(chan time.Duration, 1)
	api := ec2.NewFromConfig(cfg, func(o *ec2.Options) {
		o.Retryer = aws.NopRetryer{}
		o.RetryMaxAttempts = 0 // or AWS_MAX_ATTEMPTS would wrap the retryer
		if b, ok := o.HTTPClient.(*awshttp.BuildableClient); ok {
			r := &resender{}
			r.lost = func() {
				select {
				case lost <- r.idle():
				default:
				}
			}
			r.use(newEC2Transport(b, r.lost))
			o.HTTPClient = r
		}
	})
	return &Line{API: api, Lost: lost}
}

// Pinged is what a ping has found.
type Pinged struct {
	// Warm is how many connections were open already, Opened how many had to
	// be opened.
	Warm, Opened int
}

// Ping sends n unsigned requests at once, each on a connection of its own, so
// that n connections are open afterwards and neither end nor anything between
// takes them for idle. It makes no EC2 call and needs no credentials. The
// error is that of the first request that failed, or ErrPingCloses.
func (l *Line) Ping(ctx context.Context, n int) (Pinged, error) {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	for {
		at := l.path.Load()
		p, closes, err := l.ping(ctx, n, pingPaths[at])
		if err != nil || !closes {
			return p, err
		}
		if int(at) == len(pingPaths)-1 {
			return p, ErrPingCloses
		}
		l.path.CompareAndSwap(at, at+1)
	}
}

func (l *Line) ping(ctx context.Context, n int, path string) (p Pinged, closes bool, err error) {
	o := l.API.Options()
	url, err := endpoint(ctx, o)
	if err != nil {
		return p, false, err
	}
	url += path
	var (
		mu      sync.Mutex
		errs    []error
		pings   sync.WaitGroup
		waiting atomic.Int32
		all     = make(chan struct{})
	)
	arrive := func() {
		if waiting.Add(1) == int32(n) {
			close(all)
		}
	}
	for range n {
		pings.Go(func() {
			arrived := sync.OnceFunc(arrive)
			defer arrived()
			got := func(info httptrace.GotConnInfo) {
				mu.Lock()
				if info.Reused {
					p.Warm++
				} else {
					p.Opened++
				}
				mu.Unlock()
				arrived()
				select { // until nobody can get this connection a second time
				case <-all:
				case <-ctx.Done():
				case <-time.After(pingTogether):
				}
			}
			shuts, err := get(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: got}), o.HTTPClient, url)
			mu.Lock()
			defer mu.Unlock()
			closes = closes || shuts
			if err != nil {
				errs = append(errs, err)
			}
		})
	}
	pings.Wait()
	if len(errs) > 0 {
		return p, false, errs[0]
	}
	return p, closes, nil
}

// get says whether the server closes the connection after its answer.
func get(ctx context.Context, c ec2.HTTPClient, url string) (closes bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false, fmt.Errorf("ping EC2: %w", err)
	}
	req.Header.Set("User-Agent", "multus-ip-registrar")
	resp, err := c.Do(req)
	if err != nil {
		return false, fmt.Errorf("ping EC2: %w", err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, io.LimitReader(resp.Body, pingBody)); err != nil {
		return false, fmt.Errorf("ping EC2: read the answer: %w", err)
	} else if n == pingBody {
		return true, nil // its rest is not worth a connection
	}
	return resp.Close, nil
}

// endpoint is the URL of the API without a path, resolved as the SDK does.
func endpoint(ctx context.Context, o ec2.Options) (string, error) {
	var region *string
	if o.Region != "" {
		region = &o.Region
	}
	e, err := o.EndpointResolverV2.ResolveEndpoint(ctx, ec2.EndpointParameters{
		Region:       region,
		Endpoint:     o.BaseEndpoint,
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
	})
	if err != nil {
		return "", fmt.Errorf("ping EC2: %w", err)
	}
	return e.URI.Scheme + "://" + e.URI.Host, nil
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// resendWithin is how soon a connection must break for its request to be sent
// again at once: a round trip and more, less than EC2 needs for the work.
const resendWithin = 250 * time.Millisecond

// A resender is an HTTP client for EC2's calls, which are all POSTs, and which
// net/http therefore never sends a second time. It does so once where EC2
// closed an idle connection just as the call left, which looks like a broken
// connection within a round trip: the same call twice leaves EC2 as the call
// once does. After any other failure the idle connections count as dead too:
// what cut one may have cut all, and the next call must not find out one by one.
type resender struct {
	client    *http.Client
	transport *http.Transport
	lost      func()       // is told when idle connections are closed
	used      atomic.Int64 // when a request last began or ended, in ns of Unix
}

// use makes r ready.
func (r *resender) use(t *http.Transport) {
	r.transport = t
	r.client = &http.Client{
		Transport: t,
		Timeout:   ec2RequestTimeout,
		// EC2 redirects no calls; a proxy that does is not given our signature.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// idle is how long no request has begun or ended.
func (r *resender) idle() time.Duration { return time.Since(time.Unix(0, r.used.Load())) }

func (r *resender) touch() { r.used.Store(time.Now().UnixNano()) }

// Do implements aws.HTTPClient.
func (r *resender) Do(req *http.Request) (*http.Response, error) {
	r.touch()
	defer r.touch()
	if err := makeReplayable(req); err != nil {
		return nil, err
	}
	var reused bool
	began := time.Now()
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }})
	resp, err := r.client.Do(req.WithContext(ctx))
	if err == nil || req.Context().Err() != nil {
		return resp, err
	}
	r.transport.CloseIdleConnections()
	r.lost()
	if !reused || !brokeOff(err) || time.Since(began) > resendWithin {
		return nil, err
	}
	again := req.Clone(req.Context())
	if req.GetBody != nil {
		if again.Body, err = req.GetBody(); err != nil {
			return nil, fmt.Errorf("send the request again: %w", err)
		}
	}
	return r.client.Do(again)
}

// makeReplayable lets the body be read twice. The SDK's requests do not; then
// net/http would not even send one again of which not a byte had left.
func makeReplayable(req *http.Request) error {
	if req.Body == nil || req.GetBody != nil {
		return nil
	}
	raw, err := io.ReadAll(req.Body)
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	_ = req.Body.Close()
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }
	req.Body, err = req.GetBody()
	return err
}

// brokeOff says that the connection ended without an answer.
func brokeOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		strings.Contains(err.Error(), "server closed idle connection") // net/http keeps its type to itself
}

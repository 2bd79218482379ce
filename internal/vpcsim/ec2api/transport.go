// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"bytes"
	"io"
	"net/http"
)

// A Transport is an http.RoundTripper that calls a handler in the caller's own
// goroutine instead of a server over a network. SDK clients that use it work
// in a synctest bubble and leave no goroutine behind. Latency of the handler
// ends with the request's context; a connection that the handler drops is an
// io.ErrUnexpectedEOF, which http.Client wraps into a *url.Error and the SDK
// takes for what it is, a failed connection.
type Transport struct {
	Handler http.Handler
}

// RoundTrip implements http.RoundTripper.
func (t Transport) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	in := req.Clone(req.Context())
	in.RequestURI = req.URL.RequestURI()
	in.RemoteAddr = "192.0.2.1:1234" // as httptest has it
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := &answer{header: http.Header{}}
	if dropped := w.serve(t.Handler, in); dropped {
		if ctxErr := req.Context().Err(); ctxErr != nil {
			return nil, ctxErr
		}
		return nil, io.ErrUnexpectedEOF
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	w.WriteHeader(http.StatusOK)
	return &http.Response{
		Status:        http.StatusText(w.status),
		StatusCode:    w.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        w.header,
		Body:          io.NopCloser(&w.body),
		ContentLength: int64(w.body.Len()),
		Request:       req,
	}, nil
}

// answer collects what a handler writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// serve says whether the handler dropped the connection.
func (a *answer) serve(h http.Handler, r *http.Request) (dropped bool) {
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			dropped = true
		} else if p != nil {
			panic(p)
		}
	}()
	h.ServeHTTP(a, r)
	return false
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
		a.header = a.header.Clone()
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

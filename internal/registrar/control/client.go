// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"syscall"
	"time"
)

// pollInterval is how often Wait looks for a registrar that has not started yet.
const pollInterval = 20 * time.Millisecond

// Status asks the registrar whose state directory is dir.
func Status(ctx context.Context, dir string) (Document, error) { return ask(ctx, dir, "/v1/status") }

// Wait blocks until the registrar of dir says that every address is routed,
// also while it has not started or restarts, and until ctx ends at most. Then
// the error says what was missing last.
func Wait(ctx context.Context, dir string) (Document, error) {
	for {
		doc, err := ask(ctx, dir, "/v1/ready")
		if err == nil {
			return doc, nil
		}
		select {
		case <-ctx.Done():
			return missing(dir, err)
		case <-time.After(pollInterval):
		}
	}
}

// missing says why Wait ended without success.
func missing(dir string, last error) (Document, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	doc, err := Status(ctx, dir)
	switch {
	case err != nil && err.Error() == last.Error():
		return doc, err
	case err != nil:
		return doc, errors.Join(err, last)
	}
	return doc, &NotReadyError{doc.Waiting}
}

// A NotReadyError says what is missing until every address is routed.
type NotReadyError struct{ Waiting []string }

func (e *NotReadyError) Error() string {
	if len(e.Waiting) == 0 {
		return "not every address is routed yet"
	}
	s := "not every address is routed yet:"
	for _, w := range e.Waiting {
		s += "\n  " + w
	}
	return s
}

func ask(ctx context.Context, dir, path string) (Document, error) {
	var doc Document
	t := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", SocketPath(dir))
	}}
	defer t.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://registrar"+path, nil)
	if err != nil {
		return doc, fmt.Errorf("ask the registrar: %w", err)
	}
	resp, err := t.RoundTrip(req)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return doc, fmt.Errorf("no registrar is running with the state directory %s (%w): is the sidecar up, and is --state-dir the same?", dir, err)
	}
	if err != nil {
		return doc, fmt.Errorf("ask the registrar: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return doc, fmt.Errorf("ask the registrar: it answered %s", resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil {
		return doc, fmt.Errorf("read the registrar's answer: %w", err)
	}
	return doc, nil
}

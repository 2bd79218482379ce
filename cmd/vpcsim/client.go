// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/ec2api"
)

// ask sends a request to the admin part of a running VPC's EC2 endpoint; send
// and receive may be nil.
func ask(ctx context.Context, prefix, method, path string, send, receive any) error {
	w, err := find(prefix)
	if err != nil {
		return err
	}
	socket := filepath.Join(vpcsim.RunDir(w.root, prefix), vpcsim.Socket)
	c := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}
	body, err := json.Marshal(send)
	if err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://vpcsim"+ec2api.AdminPath+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	res, err := c.Do(r)
	if err != nil {
		return fmt.Errorf("ask the VPC with prefix %s (is it still running?): %w", prefix, err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("read the VPC's answer: %w", err)
	}
	if res.StatusCode >= 300 {
		return refusal(res, got)
	}
	if raw, ok := receive.(*[]byte); ok {
		*raw = got
		return nil
	}
	if receive == nil {
		return nil
	}
	if err := json.Unmarshal(got, receive); err != nil {
		return fmt.Errorf("read the VPC's answer: %w", err)
	}
	return nil
}

func refusal(res *http.Response, body []byte) error {
	var e struct {
		Error string `json:"error"`
	}
	err := fmt.Errorf("the VPC answers %s", res.Status)
	if json.Unmarshal(body, &e) == nil && e.Error != "" {
		err = errors.New(e.Error)
	}
	if res.StatusCode < 500 {
		return cli.UsageError{Err: err}
	}
	return err
}

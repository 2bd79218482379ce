// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/cluster"
	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/node/config"
)

// control asks the program that runs the cluster; send and receive may be nil.
func control(t *testing.T, method, path string, send, receive any) {
	t.Helper()
	if err := tryControl(method, path, send, receive); err != nil {
		t.Fatal(err)
	}
}

func controlClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(the.dir, cluster.ControlSocket))
		},
	}}
}

func tryControl(method, path string, send, receive any) error {
	var body io.Reader // none that nobody reads: the answer could overtake it
	if send != nil {
		text, err := json.Marshal(send)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, "http://cluster"+path, body)
	if err != nil {
		return err
	}
	answer, err := controlClient().Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, text)
	}
	if err != nil || receive == nil {
		return err
	}
	return json.Unmarshal(text, receive)
}

// A worker is one of the cluster's.
type worker string

const (
	worker1, worker2 worker = "worker1", "worker2"
	// native runs on this machine's own kernel: its times are a real node's.
	native worker = "native"
)

// run runs a command on the worker, as its operator, and gives what it writes.
func (w worker) run(t *testing.T, command ...string) string {
	t.Helper()
	var result config.Result
	control(t, http.MethodPost, w.path("run"), config.Command{Args: command}, &result)
	if result.ExitCode != 0 {
		t.Fatalf("%s: %q ends with exit code %d:\n%s", w, command, result.ExitCode, result.Output)
	}
	return result.Output
}

// stop ends the kubelet or containerd, until start, or the end of the test.
func (w worker) stop(t *testing.T, service string) {
	t.Helper()
	control(t, http.MethodPost, w.path("stop/"+service), nil, nil)
	t.Cleanup(func() { w.start(t, service) })
}

func (w worker) start(t *testing.T, service string) {
	t.Helper()
	control(t, http.MethodPost, w.path("start/"+service), nil, nil)
}

// cut cuts the worker's power. Who does so has to boot it again.
func (w worker) cut(t *testing.T) {
	t.Helper()
	control(t, http.MethodPost, w.path("cut"), nil, nil)
}

func (w worker) boot(t *testing.T) {
	t.Helper()
	control(t, http.MethodPost, w.path("boot"), nil, nil)
}

func (w worker) path(what string) string { return "/workers/" + string(w) + "/" + what }

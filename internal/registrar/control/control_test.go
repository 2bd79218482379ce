// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package control

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a server in a directory of its own until the test ends.
func serve(t *testing.T) (*Server, string) {
	t.Helper()
	dir := t.TempDir()
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s, dir
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestStatusIsWhatWasPublishedLast(t *testing.T) {
	s, dir := serve(t)
	s.Publish(Document{Version: "v1"})
	s.Publish(Document{Version: "v2", Ready: true})
	doc, err := Status(within(t, time.Second), dir)
	if err != nil || doc.Version != "v2" || !doc.Ready {
		t.Errorf("got %+v, %v", doc, err)
	}
}

func TestWaitBlocksUntilReady(t *testing.T) {
	s, dir := serve(t)
	s.Publish(Document{Waiting: []string{"10.0.1.100 is Pending"}})
	_, err := Wait(within(t, 100*time.Millisecond), dir)
	var notReady *NotReadyError
	if !errors.As(err, &notReady) || !strings.Contains(err.Error(), "10.0.1.100 is Pending") {
		t.Fatalf("got %v, want what is missing", err)
	}
	answered := make(chan error, 1)
	go func() {
		_, err := Wait(within(t, 5*time.Second), dir)
		answered <- err
	}()
	s.Publish(Document{Ready: true})
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

func TestWaitAlsoWaitsForTheRegistrarToStart(t *testing.T) {
	dir := t.TempDir()
	answered := make(chan error, 1)
	go func() {
		_, err := Wait(within(t, 5*time.Second), dir)
		answered <- err
	}()
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer()
	s.Publish(Document{Ready: true})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	if err := <-answered; err != nil {
		t.Error(err)
	}
	cancel()
	<-done
}

func TestNoRegistrarIsAnErrorThatHelps(t *testing.T) {
	_, err := Status(within(t, time.Second), t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "is the sidecar up") {
		t.Errorf("got %v", err)
	}
}

func TestListenReplacesTheSocketOfAKilledProcess(t *testing.T) {
	dir := t.TempDir()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: SocketPath(dir)})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	if _, err := os.Stat(SocketPath(dir)); err != nil {
		t.Fatal(err)
	}
	again, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

func TestListenRefusesADirectoryInUse(t *testing.T) {
	s, dir := serve(t)
	s.Publish(Document{})
	_, err := Listen(dir)
	var inUse *InUseError
	if !errors.As(err, &inUse) {
		t.Errorf("got %v", err)
	}
}

func TestListenNamesAPathThatIsTooLong(t *testing.T) {
	_, err := Listen(filepath.Join(t.TempDir(), strings.Repeat("x", 120)))
	if err == nil || !strings.Contains(err.Error(), "shorter --state-dir") {
		t.Errorf("got %v", err)
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestNoHandshakeIsRefusedWhileCertificatesChange: clients shake hands as fast as
// they can while authorities and certificates change below them.
func TestNoHandshakeIsRefusedWhileCertificatesChange(t *testing.T) {
	p := policy()
	pair := &Pair{}
	now := time.Now().Add(-usualCALife * 3 / 4)
	first, err := p.Next(State{}, now)
	if err != nil {
		t.Fatal(err)
	}
	// By today the authority is old: a new one, a day later its certificate.
	today := first
	for now = now.Add(time.Hour); now.Before(time.Now()); now = now.Add(24 * time.Hour) {
		if today, err = p.Next(today, now); err != nil {
			t.Fatal(err)
		}
	}
	var roots atomic.Pointer[x509.CertPool]
	use := func(s State) {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(s.CAs)
		roots.Store(pool)
		if _, err := pair.Set(s.Cert, s.Key); err != nil {
			t.Fatal(err)
		}
	}
	use(today)
	l, err := tls.Listen("tcp", "127.0.0.1:0", pair.Config())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { _ = c.(*tls.Conn).Handshake(); _ = c.Close() })
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	var shakes, refused atomic.Int64
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for ctx.Err() == nil {
				c, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					t.Error(err)
					return
				}
				x := tls.Client(c, &tls.Config{ServerName: "registrar.system.svc", RootCAs: roots.Load()})
				if err := x.Handshake(); err != nil {
					refused.Add(1)
					t.Log(err)
				}
				shakes.Add(1)
				_ = c.Close()
			}
		})
	}
	for range 20 {
		// The same authority signs another certificate.
		ca, key := decodeCerts(today.CAs)[0], must(decodeKey(today.CAKey))
		if today.Cert, today.Key, err = issueServing(time.Now(), usualCertLife, p.Names, ca, key); err != nil {
			t.Fatal(err)
		}
		use(today)
		for was := shakes.Load(); shakes.Load() < was+20; {
			time.Sleep(time.Millisecond)
		}
	}
	cancel()
	clients.Wait()
	_ = l.Close()
	wg.Wait()
	if refused.Load() > 0 || shakes.Load() < 100 {
		t.Errorf("%d of %d handshakes were refused", refused.Load(), shakes.Load())
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// mount writes a Secret as the kubelet does: a directory, and a link to it that
// is swapped as a whole.
func mount(t *testing.T, dir, version string, s State) {
	t.Helper()
	real := filepath.Join(dir, "..", version)
	if err := os.MkdirAll(real, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{certFile: s.Cert, keyFile: s.Key} {
		if err := os.WriteFile(filepath.Join(real, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(real, filepath.Join(dir, "..tmp")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
}

// TestFilesFollowTheMountedSecret: swapped like the kubelet's, a new certificate
// is served; rubbish is counted, and what was served stays.
func TestFilesFollowTheMountedSecret(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mount")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	one, two := must(policy().Next(State{}, time.Now())), must(policy().Next(State{}, time.Now().Add(time.Hour)))
	failed := make(chan struct{}, 100)
	f := &Files{Dir: dir, Pair: &Pair{}, Log: quiet(), Failed: func() { failed <- struct{}{} }}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- f.Run(ctx) }()
	<-failed // nothing is there yet
	expiry := func(s State) time.Time { return decodeCerts(s.Cert)[0].NotAfter }
	until := func(want time.Time) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); !f.Pair.Expiry().Equal(want); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("serves one until %v, not %v", f.Pair.Expiry(), want)
			}
		}
	}
	mount(t, dir, "1", one)
	until(expiry(one))
	mount(t, dir, "2", two)
	until(expiry(two))
	for len(failed) > 0 {
		<-failed
	}
	mount(t, dir, "3", State{Cert: two.Cert, Key: one.Key})
	<-failed
	until(expiry(two))
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestFilesWantTheirDirectory(t *testing.T) {
	f := &Files{Dir: filepath.Join(t.TempDir(), "none"), Pair: &Pair{}, Log: quiet()}
	if err := f.Run(t.Context()); err == nil {
		t.Error("no error without the directory")
	}
}

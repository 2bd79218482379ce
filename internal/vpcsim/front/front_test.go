// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package front

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const roundTrip = 60 * time.Millisecond

// server serves "hello" over TLS, a round trip away.
func server(t *testing.T) (*httptest.Server, *http.Client) {
	t.Helper()
	cert, bundle, err := Certificate(net.IPv4(127, 0, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	s.Listener = Distant(s.Listener, roundTrip)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(bundle) {
		t.Fatal("the bundle is no PEM")
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(tr.CloseIdleConnections)
	return s, &http.Client{Transport: tr}
}

// TestEachHandshakeCostsItsRoundTrips: TCP one, TLS 1.3 one, the request one. A
// busy machine adds to a time, and nothing takes from it: the best of five counts.
func TestEachHandshakeCostsItsRoundTrips(t *testing.T) {
	s, c := server(t)
	want := []time.Duration{3 * roundTrip, roundTrip, roundTrip}
	best := slices.Repeat([]time.Duration{time.Hour}, len(want))
	for range 5 {
		c.CloseIdleConnections()
		for i := range want {
			began := time.Now()
			resp, err := c.Get(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil || string(body) != "hello" {
				t.Fatalf("got %q, %v", body, err)
			}
			best[i] = min(best[i], time.Since(began))
		}
	}
	for i, took := range best {
		if took < want[i] || took > want[i]+roundTrip/2 {
			t.Errorf("request %d took %v, want %v", i, took, want[i])
		}
	}
}

// TestACloseArrivesAsLateAsItsBytes: what was written before is not cut off.
func TestACloseArrivesAsLateAsItsBytes(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := Distant(l, roundTrip)
	defer d.Close()
	go func() {
		c, err := d.Accept()
		if err != nil {
			return
		}
		_, _ = c.Write([]byte("the end"))
		_ = c.Close()
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := io.ReadAll(c); err != nil || string(got) != "the end" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vpcsim

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/front"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/stsapi"
)

// Remote makes EC2 as far away as it is: behind TLS, with a round trip, and
// with credentials that STS gives for a time.
type Remote struct {
	// RoundTrip is the time to EC2 and STS and back: 1 to 2 ms within a Region.
	RoundTrip time.Duration
	// IdleTimeout is how soon they close idle connections; 0 is never.
	IdleTimeout time.Duration
	// CredentialsLast is how long the credentials of STS are good for; 0 is an
	// hour. STSLatency is how long STS takes for them.
	CredentialsLast, STSLatency time.Duration
}

// secure puts TLS and the distance before the EC2 endpoint.
type secure struct {
	opts                    Remote
	sts                     *stsapi.Server
	config                  *tls.Config
	dir                     string // for the files that Env names
	connections, handshakes atomic.Int64
	pings                   atomic.Int64
}

const (
	bundleFile = "authority.pem"
	tokenFile  = "token"
)

func (s *Sim) secure(address net.Addr) error {
	host, ok := address.(*net.TCPAddr)
	if !ok {
		return fmt.Errorf("serve EC2 over TLS: %v is no TCP address", address)
	}
	cert, bundle, err := front.Certificate(host.IP)
	if err != nil {
		return fmt.Errorf("serve EC2 over TLS: %w", err)
	}
	r := &secure{opts: *s.opts.Remote}
	r.sts = &stsapi.Server{VPC: s.VPC, Lifetime: r.opts.CredentialsLast, Latency: r.opts.STSLatency}
	r.config = &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"},
		VerifyConnection: func(tls.ConnectionState) error { r.handshakes.Add(1); return nil },
	}
	if r.dir, err = os.MkdirTemp("", "vpcsim-tls-"); err != nil {
		return fmt.Errorf("serve EC2 over TLS: %w", err)
	}
	s.remote = r
	return errors.Join(
		os.WriteFile(filepath.Join(r.dir, bundleFile), bundle, 0o644),
		os.WriteFile(filepath.Join(r.dir, tokenFile), []byte("vpcsim"), 0o644),
	)
}

// listen wraps the endpoint's listener.
func (r *secure) listen(l net.Listener) net.Listener {
	return tls.NewListener(counted{front.Distant(l, r.opts.RoundTrip), &r.connections}, r.config)
}

type counted struct {
	net.Listener
	n *atomic.Int64
}

func (c counted) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.n.Add(1)
	}
	return conn, err
}

// handler is the API, STS beside it, and a count of pings.
func (r *secure) handler(api http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(stsapi.Path, r.sts)
	mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodGet && req.URL.RawQuery == "" {
			r.pings.Add(1)
		}
		api.ServeHTTP(w, req)
	})
	return mux
}

// env is what leads the SDKs to EC2 and to STS, in the place of credentials.
func (r *secure) env(url, account, worker string) []string {
	return []string{
		"AWS_CA_BUNDLE=" + filepath.Join(r.dir, bundleFile),
		"AWS_ENDPOINT_URL_STS=" + url + stsapi.Path,
		"AWS_ROLE_ARN=" + stsapi.Role(account, worker),
		"AWS_WEB_IDENTITY_TOKEN_FILE=" + filepath.Join(r.dir, tokenFile),
	}
}

// Preparations are what calls have cost beside themselves since the start.
type Preparations struct {
	// Connections and Handshakes are those that EC2 and STS have accepted.
	Connections, Handshakes int
	// Credentials is how often STS was asked.
	Credentials int
	// Pings are the requests to EC2 that asked for nothing.
	Pings int
}

// Preparations counts them, with Options.Remote.
func (s *Sim) Preparations() Preparations {
	if s.remote == nil {
		return Preparations{}
	}
	r := s.remote
	return Preparations{int(r.connections.Load()), int(r.handshakes.Load()), r.sts.Calls(), int(r.pings.Load())}
}

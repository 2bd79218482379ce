// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// A Pair is the certificate in use, with its key. It may be read and replaced at
// any time; the zero value has none yet.
type Pair struct {
	current atomic.Pointer[served]
}

type served struct {
	tls       tls.Certificate
	cert, key []byte
}

// errNone fails a handshake before the first certificate; /readyz says no then.
var errNone = errors.New("there is no serving certificate yet")

// Get is tls.Config's GetCertificate.
func (p *Pair) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if s := p.current.Load(); s != nil {
		return &s.tls, nil
	}
	return nil, errNone
}

// Set puts a certificate and its key, both PEM, into use. One that does not fit
// the other is refused, and what was in use stays. It says whether it is another
// one than before.
func (p *Pair) Set(cert, key []byte) (bool, error) {
	if s := p.current.Load(); s != nil && bytes.Equal(s.cert, cert) && bytes.Equal(s.key, key) {
		return false, nil
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return false, fmt.Errorf("use the certificate: %w", err)
	}
	p.current.Store(&served{pair, bytes.Clone(cert), bytes.Clone(key)})
	return true, nil
}

// Expiry is when the certificate in use ends; zero where there is none.
func (p *Pair) Expiry() time.Time {
	if s := p.current.Load(); s != nil && s.tls.Leaf != nil {
		return s.tls.Leaf.NotAfter
	}
	return time.Time{}
}

// Config is the server's TLS: 1.2 and later, and of 1.2 only suites with forward
// secrecy and authenticated encryption.
func (p *Pair) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		GetCertificate: p.Get,
		NextProtos:     []string{"h2", "http/1.1"},
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"slices"
	"time"
)

// A State is what the replicas share: authorities, newest first, the key of the
// newest, and the certificate that all of them serve. All is PEM.
type State struct {
	CAs, CAKey, Cert, Key []byte
}

func (s State) equal(o State) bool {
	return bytes.Equal(s.CAs, o.CAs) && bytes.Equal(s.CAKey, o.CAKey) && bytes.Equal(s.Cert, o.Cert) && bytes.Equal(s.Key, o.Key)
}

// A Policy says for whom and how long.
type Policy struct {
	// Names are the DNS names under which the API server calls.
	Names []string
	// CALife and CertLife are how long an authority and a certificate are
	// valid; each is replaced when a third is left. CertLife must be less
	// than a third of CALife: no certificate outlives its authority.
	CALife, CertLife time.Duration
	// Ripe is how long an authority must have been known to the API servers
	// before it signs.
	Ripe time.Duration
}

// The usual policy.
const (
	usualCALife   = 2 * 365 * 24 * time.Hour
	usualCertLife = 90 * 24 * time.Hour
	// usualRipe is many times what a replica needs to put the authority into
	// the webhook's configuration (a minute) and an API server to see it.
	usualRipe = time.Hour
)

// UsualPolicy is for the names of a Service.
func UsualPolicy(service, namespace string) Policy {
	name := service + "." + namespace + ".svc"
	return Policy{Names: []string{name, name + ".cluster.local", service + "." + namespace}, CALife: usualCALife, CertLife: usualCertLife, Ripe: usualRipe}
}

// Next is the state that follows s at a time; s itself where nothing is due.
//
// A new authority comes beside the old one and signs nothing until it is ripe;
// the old one goes when it has expired. So at every moment what any replica
// serves is trusted by what any API server knows. Only where nothing usable is
// there, or what is served has expired, is a certificate made at once.
func (p Policy) Next(s State, now time.Time) (State, error) {
	cas := slices.DeleteFunc(decodeCerts(s.CAs), func(c *x509.Certificate) bool { return !c.IsCA || !now.Before(c.NotAfter) })
	key, err := decodeKey(s.CAKey)
	due := len(cas) == 0 || err != nil || !key.PublicKey.Equal(cas[0].PublicKey) || !fresh(cas[0], now)
	next := s
	if due {
		var ca *x509.Certificate
		if ca, key, err = issueCA(now, p.CALife); err != nil {
			return s, err
		}
		if next.CAKey, err = encodeKey(key); err != nil {
			return s, err
		}
		cas = append([]*x509.Certificate{ca}, cas...)
	}
	next.CAs = bundle(cas)
	usable, renew := p.judge(next, cas, now)
	ripe := !now.Before(cas[0].NotBefore.Add(skew + p.Ripe))
	if !usable || renew && ripe {
		return p.serve(next, now, cas[0], key)
	}
	return next, nil
}

func (p Policy) serve(s State, now time.Time, ca *x509.Certificate, key *ecdsa.PrivateKey) (State, error) {
	cert, certKey, err := issueServing(now, p.CertLife, p.Names, ca, key)
	if err != nil {
		return s, err
	}
	s.Cert, s.Key = cert, certKey
	return s, nil
}

// judge says whether the certificate can be served, and whether it should be
// replaced by and by.
func (p Policy) judge(s State, cas []*x509.Certificate, now time.Time) (usable, renew bool) {
	certs := decodeCerts(s.Cert)
	var probe Pair
	if _, err := probe.Set(s.Cert, s.Key); err != nil || len(certs) == 0 {
		return false, true
	}
	pool := x509.NewCertPool()
	for _, c := range cas {
		pool.AddCert(c)
	}
	for _, name := range p.Names {
		if _, err := certs[0].Verify(x509.VerifyOptions{DNSName: name, Roots: pool, CurrentTime: now}); err != nil {
			return false, true
		}
	}
	return true, !fresh(certs[0], now)
}

// fresh says that more than a third of a certificate's life is left.
func fresh(c *x509.Certificate, now time.Time) bool {
	return c.NotAfter.Sub(now) > c.NotAfter.Sub(c.NotBefore)/3
}

func bundle(cas []*x509.Certificate) []byte {
	var out []byte
	for _, c := range cas {
		out = append(out, encodeCert(c)...)
	}
	return out
}

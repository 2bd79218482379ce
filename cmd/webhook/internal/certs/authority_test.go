// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"crypto/x509"
	"testing"
	"time"
)

func policy() Policy { return UsualPolicy("registrar", "system") }

// trusted says whether what is served verifies by what an API server knows.
func trusted(t *testing.T, served, known State, now time.Time) bool {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(known.CAs)
	_, err := decodeCerts(served.Cert)[0].Verify(x509.VerifyOptions{DNSName: "registrar.system.svc", Roots: pool, CurrentTime: now})
	return err == nil
}

// TestNoHandshakeIsRefusedInYears walks through four years in steps of six hours:
// an API server may know the state of one step ago, a replica may serve that of
// two days ago.
func TestNoHandshakeIsRefusedInYears(t *testing.T) {
	const step, years = 6 * time.Hour, 4
	p := policy()
	p.Ripe = step + time.Minute // as an hour is to the minute that it really takes
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var states []State
	var s State
	cas, certs := 0, 0
	for range years * 365 * 4 {
		next, err := p.Next(s, now)
		if err != nil {
			t.Fatal(err)
		}
		if string(next.CAKey) != string(s.CAKey) {
			cas++
		}
		if string(next.Cert) != string(s.Cert) {
			certs++
		}
		changed := !next.equal(s)
		s = next
		if states = append(states, s); len(states) > 9 {
			states = states[1:]
		}
		// Verifying is slow; only around changes can anything be wrong.
		if changed || now.Hour() == 0 {
			for _, served := range []State{s, states[0]} {
				for _, known := range []State{s, states[max(0, len(states)-2)]} {
					if !trusted(t, served, known, now) {
						t.Fatalf("refused at %v", now)
					}
				}
			}
		}
		now = now.Add(step)
	}
	if cas < 3 || cas > 4 || certs < 20 || certs > 30 {
		t.Errorf("%d authorities and %d certificates in four years", cas, certs)
	}
	if n := len(decodeCerts(s.CAs)); n > 2 {
		t.Errorf("%d authorities are kept", n)
	}
}

func TestNextMendsWhatIsBroken(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	good, err := policy().Next(State{}, now)
	if err != nil {
		t.Fatal(err)
	}
	other, err := policy().Next(State{}, now)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := policy().Next(good, now.Add(time.Hour)); err != nil || !same.equal(good) {
		t.Errorf("a good state is changed, %v", err)
	}
	for name, broken := range map[string]State{
		"no authority":           {CAKey: good.CAKey, Cert: good.Cert, Key: good.Key},
		"no authority's key":     {CAs: good.CAs, Cert: good.Cert, Key: good.Key},
		"another authority":      {CAs: other.CAs, CAKey: other.CAKey, Cert: good.Cert, Key: good.Key},
		"another key":            {CAs: good.CAs, CAKey: good.CAKey, Cert: good.Cert, Key: other.Key},
		"no certificate":         {CAs: good.CAs, CAKey: good.CAKey},
		"rubbish":                {CAs: []byte("x"), CAKey: []byte("x"), Cert: []byte("x"), Key: []byte("x")},
		"a certificate as a key": {CAs: good.CAs, CAKey: good.Cert, Cert: good.Cert, Key: good.Key},
	} {
		s, err := policy().Next(broken, now)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !trusted(t, s, s, now) {
			t.Errorf("%s: what follows is not trusted", name)
		}
	}
	renamed := UsualPolicy("another", "system")
	if s, err := renamed.Next(good, now); err != nil || string(s.Cert) == string(good.Cert) || string(s.CAs) != string(good.CAs) {
		t.Errorf("another name: %v", err)
	}
	if s, err := policy().Next(good, now.Add(10*usualCALife)); err != nil || !trusted(t, s, s, now.Add(10*usualCALife)) || len(decodeCerts(s.CAs)) != 1 {
		t.Errorf("after a long sleep: %v", err)
	}
}

// TestAnUnripeAuthoritySignsNothing: authority and certificate fall due at the
// same moment; the API servers must know the first before the second is signed.
func TestAnUnripeAuthoritySignsNothing(t *testing.T) {
	p := policy()
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	due := begin.Add(p.CALife * 2 / 3)
	s := must(p.Next(State{}, begin))
	s.Cert, s.Key = nil, nil
	before := must(p.Next(s, due.Add(-p.CertLife*2/3)))
	if len(decodeCerts(before.CAs)) != 1 {
		t.Fatal("the authority was replaced too early for this test")
	}
	after := must(p.Next(before, due.Add(time.Hour)))
	if len(decodeCerts(after.CAs)) != 2 || string(after.Cert) != string(before.Cert) {
		t.Fatalf("%d authorities, another certificate: %v", len(decodeCerts(after.CAs)), string(after.Cert) != string(before.Cert))
	}
	ripe := due.Add(time.Hour + p.Ripe)
	last := must(p.Next(after, ripe))
	if string(last.Cert) == string(after.Cert) || !trusted(t, last, after, ripe) || !trusted(t, after, last, ripe) {
		t.Error("the ripe authority's certificate is missing or not trusted")
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"
)

// An issuer signs certificates as old as a test wants them.
type issuer struct {
	cert, key []byte // PEM
	parsed    *x509.Certificate
	signer    *ecdsa.PrivateKey
}

// authority is one that was made some time ago and ends in some time.
func authority(t *testing.T, name string, age, left time.Duration) *issuer {
	t.Helper()
	template := &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	i := &issuer{}
	i.cert, i.key, i.parsed, i.signer = i.sign(t, template, name, age, left)
	return i
}

// issue gives a certificate for hosts, with its key.
func (i *issuer) issue(t *testing.T, hosts []string, age, left time.Duration) (cert, key []byte) {
	t.Helper()
	template := &x509.Certificate{DNSNames: hosts, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	cert, key, _, _ = i.sign(t, template, hosts[0], age, left)
	return cert, key
}

func (i *issuer) sign(t *testing.T, template *x509.Certificate, name string, age, left time.Duration) (cert, key []byte, parsed *x509.Certificate, signer *ecdsa.PrivateKey) {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template.SerialNumber, template.Subject = serial, pkix.Name{CommonName: name}
	template.NotBefore, template.NotAfter = now.Add(-age), now.Add(left)
	if signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	parent, by := i.parsed, i.signer
	if parent == nil {
		parent, by = template, signer
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &signer.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	if parsed, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		t.Fatal(err)
	}
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", raw), parsed, signer
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// skew is how far clocks may differ: what is made now is valid a bit earlier.
const skew = 5 * time.Minute

// serialBits is what RFC 5280 has room for, without the sign.
const serialBits = 127

// issueCA makes an authority.
func issueCA(now time.Time, life time.Duration) (cert *x509.Certificate, key *ecdsa.PrivateKey, err error) {
	t, err := template("multus-ip-registrar webhook CA", now, now.Add(life))
	if err != nil {
		return nil, nil, err
	}
	t.IsCA, t.BasicConstraintsValid, t.MaxPathLenZero = true, true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	cert, err = sign(t, t, key, key)
	return cert, key, err
}

// issueServing makes a server's certificate for names, signed by an authority.
func issueServing(now time.Time, life time.Duration, names []string, ca *x509.Certificate, caKey *ecdsa.PrivateKey) (cert, key []byte, err error) {
	end := now.Add(life)
	if end.After(ca.NotAfter) {
		end = ca.NotAfter
	}
	t, err := template(names[0], now, end)
	if err != nil {
		return nil, nil, err
	}
	t.DNSNames = names
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	c, err := sign(t, ca, k, caKey)
	if err != nil {
		return nil, nil, err
	}
	raw, err := encodeKey(k)
	return encodeCert(c), raw, err
}

func template(name string, now, end time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits))
	if err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	// A common name holds 64 bytes at most; the DNS names are what counts.
	return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name[:min(len(name), 64)]}, NotBefore: now.Add(-skew), NotAfter: end}, nil
}

func sign(t, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, t, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

func encodeCert(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func encodeKey(k *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return nil, fmt.Errorf("write a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func decodeKey(raw []byte) (*ecdsa.PrivateKey, error) {
	b, _ := pem.Decode(raw)
	if b == nil {
		return nil, errors.New("no PEM")
	}
	k, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		return nil, err
	}
	ec, ok := k.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("a key of type %T", k)
	}
	return ec, nil
}

// decodeCerts are the certificates of a PEM bundle; what is none is passed over.
func decodeCerts(raw []byte) []*x509.Certificate {
	var out []*x509.Certificate
	for b, rest := pem.Decode(raw); b != nil; b, rest = pem.Decode(rest) {
		if c, err := x509.ParseCertificate(b.Bytes); err == nil {
			out = append(out, c)
		}
	}
	return out
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/cmd/webhook/internal/certs"
)

// TestCertificatesOfFiles: those of cert-manager or one's own, replaced while it
// runs; nothing is written to the cluster.
func TestCertificatesOfFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(now time.Time) (cas []byte) {
		s, err := certs.UsualPolicy("registrar", "system").Next(certs.State{}, now)
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range map[string][]byte{"tls.crt": s.Cert, "tls.key": s.Key} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return s.CAs
	}
	trusts := func(r *running, cas []byte) error {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(cas)
		c, err := tls.Dial("tcp", r.web, &tls.Config{RootCAs: pool, ServerName: "registrar.system.svc"})
		if err == nil {
			_ = c.Close()
		}
		return err
	}
	cas := write(time.Now())
	kube, nads := world()
	r := start(t, kube, nads, func(s *settings) { s.certificates, s.certDir = "files", dir })
	defer r.end()
	if err := trusts(r, cas); err != nil {
		t.Fatal(err)
	}
	cas = write(time.Now())
	for deadline := time.Now().Add(10 * time.Second); trusts(r, cas) != nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the new certificate is not served")
		}
	}
	for _, a := range kube.Actions() {
		if a.GetVerb() != "list" && a.GetVerb() != "watch" && a.GetVerb() != "get" {
			t.Errorf("it did %s %s", a.GetVerb(), a.GetResource().Resource)
		}
	}
}

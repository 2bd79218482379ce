// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
)

// A mount is a directory as the kubelet mounts a Secret: its files are links, and
// one rename replaces all of them.
type mount struct {
	dir  string
	made int
}

func (m *mount) replace(t *testing.T, files map[string][]byte) {
	t.Helper()
	m.made++
	now := fmt.Sprintf("..%d", m.made)
	err := os.MkdirAll(filepath.Join(m.dir, now), 0o700)
	for name, content := range files {
		err = errors.Join(err, os.WriteFile(filepath.Join(m.dir, now, name), content, 0o600))
		if m.made == 1 {
			err = errors.Join(err, os.Symlink(filepath.Join("..data", name), filepath.Join(m.dir, name)))
		}
	}
	next := filepath.Join(m.dir, "..data_tmp")
	if err = errors.Join(err, os.Symlink(now, next), os.Rename(next, filepath.Join(m.dir, "..data"))); err != nil {
		t.Fatal(err)
	}
}

// A certificate of somebody else's is taken from a mounted Secret, also a renewed
// one under load, and nothing is written to the API server.
func TestCertificateFromFiles(t *testing.T) {
	w := need(t)
	w.put(t, nil)
	ref := w.installed.service()
	ca := authority(t, "somebody's authority", time.Hour, 24*time.Hour)
	w.configure(t, func(c *admissionregistrationv1.MutatingWebhookConfiguration) {
		for i := range c.Webhooks {
			c.Webhooks[i].ClientConfig.CABundle = ca.cert
		}
	})
	m := &mount{dir: t.TempDir()}
	var last []byte
	renew := func() {
		cert, key := ca.issue(t, []string{ref.Name + "." + ref.Namespace + ".svc"}, time.Hour, time.Hour)
		m.replace(t, map[string][]byte{"tls.crt": cert, "tls.key": key})
		last = cert
	}
	renew()
	replicas := w.serve(t, 2, "--certificates=files", "--cert-dir="+m.dir)
	l, h := w.load(t), w.handshakes(t, replicas)
	for range 3 {
		renew()
		for _, r := range replicas {
			err := until(patience, func() error {
				c, err := r.served()
				if err == nil && !bytes.Equal(encode("CERTIFICATE", c.Raw), last) {
					err = fmt.Errorf("%s serves a certificate that was replaced", r.name)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
	time.Sleep(time.Second)
	h.end(t)
	l.end(t)
	w.announced(t, ca.cert)
}

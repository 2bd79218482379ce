// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const day = 24 * time.Hour

// An authority and then the serving certificate change while pods are made: not
// one is lost. The story writes into the Secret that replicas share what time
// would have brought: an authority beside the old one, and a certificate of it
// with less than a third of its life left. The webhook does the rest.
func TestCertificatesRotate(t *testing.T) {
	s := tellAside(t)
	s.apply(staticN3)
	end := s.admitAll("the rotation")
	before := s.certificates()

	ca, caKey := issue(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "multus-ip-registrar webhook CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-100 * day), NotAfter: time.Now().Add(600 * day),
	}, nil, nil)
	cas := append(pemOf("CERTIFICATE", ca.Raw), before["ca.crt"]...)
	s.share(map[string][]byte{"ca.crt": cas, "ca.key": keyOf(t, caKey)})
	until(t, podPatience, func() error {
		c, err := the.kube.AdmissionregistrationV1().MutatingWebhookConfigurations().Get(context.Background(), release, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, w := range c.Webhooks {
			if !bytes.Equal(w.ClientConfig.CABundle, cas) {
				return fmt.Errorf("webhook %s does not trust both authorities yet", w.Name)
			}
		}
		return nil
	})
	s.say("the API server trusts both authorities")

	name := release + "." + release + ".svc"
	aging, key := issue(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name, name + ".cluster.local", release + "." + release},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		NotBefore: time.Now().Add(-70 * day), NotAfter: time.Now().Add(20 * day),
	}, ca, caKey)
	s.share(map[string][]byte{"tls.crt": pemOf("CERTIFICATE", aging.Raw), "tls.key": keyOf(t, key)})
	var c *x509.Certificate
	until(t, podPatience, func() error {
		block, _ := pem.Decode(s.certificates()["tls.crt"])
		if block == nil || bytes.Equal(block.Bytes, aging.Raw) {
			return errors.New("the webhook has not replaced the certificate that ages")
		}
		var err error
		if c, err = x509.ParseCertificate(block.Bytes); err == nil {
			err = c.CheckSignatureFrom(ca)
		}
		return err
	})
	s.say("the webhook has replaced the certificate that was near its end, by one of the new authority")
	until(t, 2*podPatience, func() error {
		served, err := s.served()
		if err != nil {
			return err
		}
		if len(served) != 2 {
			return fmt.Errorf("there are %d replicas, want 2", len(served))
		}
		for pod, expiry := range served {
			if !expiry.Equal(c.NotAfter) {
				return fmt.Errorf("replica %s serves a certificate until %v, not until %v", pod, expiry, c.NotAfter)
			}
		}
		return nil
	})
	s.say("all replicas serve it")
	end()
}

func (s *story) certificates() map[string][]byte {
	s.Helper()
	secret, err := the.kube.CoreV1().Secrets(release).Get(context.Background(), release+"-webhook-certs", metav1.GetOptions{})
	if err != nil {
		s.Fatal(err)
	}
	return secret.Data
}

// served is until when each replica's certificate is valid, by its log.
func (s *story) served() (map[string]time.Time, error) {
	pods, err := the.kube.CoreV1().Pods(release).List(context.Background(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/instance=" + release})
	if err != nil {
		return nil, err
	}
	served := map[string]time.Time{}
	for _, p := range pods.Items {
		log, err := kubectl("", "--namespace", release, "logs", p.Name)
		if err != nil {
			return nil, err
		}
		served[p.Name] = time.Time{}
		for line := range strings.Lines(log) {
			var event struct {
				Msg     string
				Expires time.Time
			}
			if json.Unmarshal([]byte(line), &event) == nil && event.Msg == "certificate loaded" {
				served[p.Name] = event.Expires
			}
		}
	}
	return served, nil
}

// share changes what the replicas share.
func (s *story) share(data map[string][]byte) {
	s.Helper()
	secrets := the.kube.CoreV1().Secrets(release)
	secret, err := secrets.Get(context.Background(), release+"-webhook-certs", metav1.GetOptions{})
	if err == nil {
		for name, value := range data {
			secret.Data[name] = value
		}
		_, err = secrets.Update(context.Background(), secret, metav1.UpdateOptions{})
	}
	if err != nil {
		s.Fatal(err)
	}
}

func issue(t *testing.T, c, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if parent == nil {
		parent, parentKey = c, key
	}
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	raw, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err == nil {
		c, err = x509.ParseCertificate(raw)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

func keyOf(t *testing.T, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf("PRIVATE KEY", raw)
}

func pemOf(kind string, raw []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw})
}

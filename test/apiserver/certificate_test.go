// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The keys of the replicas' Secret.
const authorityCert, authorityKey = "ca.crt", "ca.key"

// secret is the name of the Secret that the replicas share.
func (w *world) secret() string { return w.flagValue("secret", "multus-ip-registrar-webhook-certs") }

// put writes the Secret; nil removes it.
func (w *world) put(t *testing.T, data map[string][]byte) {
	t.Helper()
	secrets := w.kube.CoreV1().Secrets(system)
	if err := secrets.Delete(t.Context(), w.secret(), metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	if data == nil {
		return
	}
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: w.secret()}, Data: data}
	if _, err := secrets.Create(t.Context(), s, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// change changes the Secret in one write.
func (w *world) change(t *testing.T, data map[string][]byte) {
	t.Helper()
	secrets := w.kube.CoreV1().Secrets(system)
	s, err := secrets.Get(t.Context(), w.secret(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range data {
		s.Data[k] = v
	}
	if _, err := secrets.Update(t.Context(), s, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// nudge changes something of the webhook configuration that means nothing, which
// makes replicas look after their certificates now and not within the minute.
func (w *world) nudge(t *testing.T) {
	t.Helper()
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"nudged":%q}}}`, time.Now().Format(time.RFC3339Nano))
	_, err := w.kube.AdmissionregistrationV1().MutatingWebhookConfigurations().
		Patch(t.Context(), w.installed.configuration.Name, "application/merge-patch+json", patch, metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// announced waits until every webhook of the configuration trusts just that.
func (w *world) announced(t *testing.T, authorities []byte) {
	t.Helper()
	err := until(patience, func() error {
		for _, h := range w.configuration(t).Webhooks {
			if !bytes.Equal(h.ClientConfig.CABundle, authorities) {
				return fmt.Errorf("webhook %s trusts\n%s, not\n%s", h.Name, h.ClientConfig.CABundle, authorities)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// served is the certificate of a handshake with a replica.
func (r *replica) served() (*x509.Certificate, error) {
	// It is looked at, not trusted.
	c, err := tls.Dial("tcp", fmt.Sprintf("%s:%d", r.address, webPort), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0], nil
}

// Out of nothing come a Secret and a CA bundle in the configuration, and an
// upgrade that empties the bundle is mended at once.
func TestCertificateOfItsOwn(t *testing.T) {
	w := need(t)
	w.put(t, nil)
	clear := func(c *admissionregistrationv1.MutatingWebhookConfiguration) {
		for i := range c.Webhooks {
			c.Webhooks[i].ClientConfig.CABundle = nil
		}
	}
	w.configure(t, clear)
	replicas := w.serve(t, 2)
	s, err := w.kube.CoreV1().Secrets(system).Get(t.Context(), w.secret(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.announced(t, s.Data[authorityCert])
	var serials []string
	for _, r := range replicas {
		c, err := r.served()
		if err != nil {
			t.Fatal(err)
		}
		serials = append(serials, c.SerialNumber.String())
	}
	if serials[0] != serials[1] {
		t.Error("the replicas serve different certificates")
	}
	w.configure(t, clear)
	w.announced(t, s.Data[authorityCert])
	w.settled(t)
}

// A certificate that is due, and then its authority, are replaced under load. Two
// years pass in seconds: what is in the Secret is what the webhook itself would
// have written by then.
func TestRotationUnderLoad(t *testing.T) {
	w := need(t)
	ref := w.installed.service()
	host := ref.Name + "." + ref.Namespace
	hosts := []string{host + ".svc", host + ".svc.cluster.local", host}
	old, young := authority(t, "old authority", 300*24*time.Hour, 400*24*time.Hour), authority(t, "young authority", 24*time.Hour, 600*24*time.Hour)
	first, firstKey := old.issue(t, hosts, 24*time.Hour, 80*24*time.Hour)
	due, dueKey := old.issue(t, hosts, 80*24*time.Hour, 10*24*time.Hour)

	w.put(t, map[string][]byte{authorityCert: old.cert, authorityKey: old.key, "tls.crt": first, "tls.key": firstKey})
	replicas := w.serve(t, 2)
	serving := func(issuer string, not []byte) {
		t.Helper()
		for _, r := range replicas {
			err := until(patience, func() error {
				c, err := r.served()
				if err == nil && (c.Issuer.CommonName != issuer || bytes.Equal(encode("CERTIFICATE", c.Raw), not)) {
					err = fmt.Errorf("%s serves what %s has signed, until %v", r.name, c.Issuer.CommonName, c.NotAfter)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
	serving("old authority", nil)
	l, h := w.load(t), w.handshakes(t, replicas)

	t.Log("the certificate is due")
	w.change(t, map[string][]byte{"tls.crt": due, "tls.key": dueKey})
	w.nudge(t)
	serving("old authority", first)
	serving("old authority", due)

	t.Log("a younger authority is there, and signs nothing yet")
	both := append(bytes.Clone(young.cert), old.cert...)
	w.change(t, map[string][]byte{authorityCert: both, authorityKey: young.key})
	w.nudge(t)
	w.announced(t, both)
	serving("old authority", nil)

	t.Log("the certificate is due again")
	w.change(t, map[string][]byte{"tls.crt": due, "tls.key": dueKey})
	w.nudge(t)
	serving("young authority", nil)
	time.Sleep(time.Second) // of what it is like afterwards
	h.end(t)
	l.end(t)
	w.put(t, nil)
}

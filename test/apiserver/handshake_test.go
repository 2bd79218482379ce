// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A handshaker connects to replicas anew, again and again, and trusts what the
// configuration said just before: as many API servers do, each of which keeps its
// connections and so makes few handshakes.
type handshaker struct {
	stop context.CancelFunc
	wg   sync.WaitGroup
	made int     // valid after wg
	lost []error // likewise
}

func (w *world) handshakes(t *testing.T, replicas []*replica) *handshaker {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	h := &handshaker{stop: stop}
	t.Cleanup(func() { stop(); h.wg.Wait() })
	h.wg.Go(func() {
		for ; ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
			for _, r := range replicas {
				h.made++
				if err := w.handshake(r); err != nil {
					h.lost = append(h.lost, fmt.Errorf("%s: %w", r.name, err))
				}
			}
		}
	})
	return h
}

func (w *world) handshake(r *replica) error {
	c, err := w.kube.AdmissionregistrationV1().MutatingWebhookConfigurations().Get(context.Background(), w.installed.configuration.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(c.Webhooks[0].ClientConfig.CABundle) {
		return errors.New("the configuration has no CA bundle")
	}
	ref := w.installed.service()
	conn, err := tls.Dial("tcp", net.JoinHostPort(r.address, strconv.Itoa(webPort)), &tls.Config{RootCAs: pool, ServerName: ref.Name + "." + ref.Namespace + ".svc"})
	if err != nil {
		return err
	}
	return conn.Close()
}

func (h *handshaker) end(t *testing.T) {
	t.Helper()
	h.stop()
	h.wg.Wait()
	t.Logf("%d handshakes, %d refused", h.made, len(h.lost))
	if len(h.lost) > 0 {
		t.Errorf("%d of %d handshakes refused; the first: %v", len(h.lost), h.made, h.lost[0])
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	nadclient "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/client/clientset/versioned"
	"k8s.io/client-go/kubernetes"

	"github.com/multus-ip-registrar/multus-ip-registrar/cmd/webhook/internal/certs"
	"github.com/multus-ip-registrar/multus-ip-registrar/cmd/webhook/internal/cluster"
	"github.com/multus-ip-registrar/multus-ip-registrar/cmd/webhook/internal/metrics"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/inject"
)

// An app is a webhook, ready to run.
type app struct {
	log             *slog.Logger
	pair            *certs.Pair
	tasks           []task
	handler         http.Handler
	metrics         http.Handler
	drain, shutdown time.Duration
	// unready says why the webhook should get no requests; empty for ready.
	unready  func() string
	draining atomic.Bool
}

// app joins the parts.
func (s *settings) app(kube kubernetes.Interface, nads nadclient.Interface, log *slog.Logger) (*app, error) {
	pair := &certs.Pair{}
	m := metrics.New(pair.Expiry)
	c, err := cluster.New(kube, nads, log)
	if err != nil {
		return nil, err
	}
	a := &app{log: log, pair: pair, metrics: m.Handler(), drain: s.drain, shutdown: s.shutdown, tasks: []task{c.Run}}

	native, known := func() bool { return s.nativeSidecars == "true" }, func() bool { return true }
	if s.nativeSidecars == "auto" {
		v := &cluster.Version{Client: kube.Discovery(), Log: log}
		native, known = v.NativeSidecars, v.Ready
		a.tasks = append(a.tasks, v.Run)
	}
	trusted := func() bool { return !pair.Expiry().IsZero() }
	if s.certificates == "files" {
		a.tasks = append(a.tasks, (&certs.Files{Dir: s.certDir, Pair: pair, Log: log, Failed: m.CertificateFailed}).Run)
	} else {
		manager := &certs.Manager{
			Secrets: kube.CoreV1().Secrets(s.namespace), SecretName: s.secret,
			Configurations: kube.AdmissionregistrationV1().MutatingWebhookConfigurations(), ConfigurationName: s.configuration,
			Policy: certs.UsualPolicy(s.service, s.namespace), Pair: pair, Log: log, Failed: m.CertificateFailed,
		}
		trusted = manager.Ready
		a.tasks = append(a.tasks, manager.Run)
	}
	a.handler = &inject.Handler{Cluster: c, NativeSidecars: native, Defaults: s.defaults, Log: log, Observe: m.Reviewed}
	a.unready = func() string {
		switch {
		case a.draining.Load():
			return "ending"
		case !c.Ready():
			return "namespaces are not known yet"
		case !known():
			return "the cluster's version is not known yet"
		case !trusted():
			return "there is no certificate yet that the API server trusts"
		}
		return ""
	}
	return a, nil
}

// run serves until ctx ends, then drains: /readyz says no, requests are answered
// for the drain delay, and those under way come to their end. The caches and the
// certificate are kept until the last of them.
func (a *app) run(ctx context.Context, web, ops net.Listener) error {
	// What serves must outlive ctx by the time of the drain.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	webServer, opsServer := a.webServer(), a.opsServer()
	drained := func(failing context.Context) error {
		defer stop()
		select {
		case <-failing.Done():
			return errors.Join(webServer.Close(), opsServer.Close())
		case <-ctx.Done():
		}
		a.draining.Store(true)
		a.log.Info("draining", "delay", a.drain.String())
		select {
		case <-failing.Done():
		case <-time.After(a.drain):
		}
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.shutdown)
		defer cancel()
		if err := webServer.Shutdown(late); err != nil {
			return errors.Join(fmt.Errorf("end with requests under way: %w", err), webServer.Close(), opsServer.Close())
		}
		return opsServer.Close()
	}
	tasks := append([]task{
		drained,
		func(context.Context) error { return ended(webServer.ServeTLS(web, "", "")) },
		func(context.Context) error { return ended(opsServer.Serve(ops)) },
	}, a.tasks...)
	return together(serving, tasks...)
}

// ended takes the error that a server returns when it was told to end.
func ended(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

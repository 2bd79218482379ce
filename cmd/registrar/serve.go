// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/control"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/metrics"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/sibling"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/state"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
)

// run makes a registrar of the settings and lets do run it. A failure also
// goes to the termination message.
func (s *settings) run(c *cobra.Command, mode string, cfg ledger.Config, do func(*registrar.Registrar) error) error {
	log, end := s.logger(c)
	defer end()
	log.Info("registrar starts", "version", cli.Version(), "mode", mode)
	err := s.serve(c.Context(), log, mode, cfg, do)
	if err != nil {
		s.terminate(log, err)
		return err
	}
	log.Info("registrar ends", "mode", mode)
	return nil
}

func (s *settings) serve(ctx context.Context, log *slog.Logger, mode string, cfg ledger.Config, do func(*registrar.Registrar) error) error {
	aside, stop := context.WithCancel(context.WithoutCancel(ctx))
	var servers sync.WaitGroup
	defer servers.Wait()
	defer stop()

	o := registrar.Options{
		Version: cli.Version(), Mode: mode, Ledger: cfg,
		Store: state.Open(s.stateDir), Log: log,
		Rand: rand.Float64, ShutdownTimeout: s.shutdown,
	}
	if s.annotations != "" {
		a := &annotated{s: s, log: log}
		first := a.first() // before anything is decided
		o.Ledger.DefaultInterfaces, o.Ledger.Floating = first.DefaultInterfaces, first.Floating
		o.Follow = a.follow
	}
	floating := floats(&o)
	m := s.metrics(aside, log, &servers)
	if m != nil {
		o.Observer = m
	}
	var err error
	if o.Publish, err = s.control(aside, log, &servers); err != nil {
		return err
	}
	w, err := netwatch.Open(netwatch.Options{Logger: log})
	if err != nil {
		return fmt.Errorf("watch the pod's interfaces: %w", err)
	}
	defer w.Close()
	o.Watcher = w
	if mode == sidecarMode {
		talk := sibling.New(log)
		defer talk.Close()
		o.Siblings = &siblings{talk, log}
	}
	cloud, err := newCloud(ctx, log, m)
	if err != nil {
		return err
	}
	o.Cloud = cloud
	if s.keepWarm > 0 {
		servers.Go(func() { cloud.keepWarm(aside, s.keepWarm, floating) })
	}
	return do(registrar.New(o))
}

// floats is closed once the pod has floating IPs, which an annotation may name
// later.
func floats(o *registrar.Options) <-chan struct{} {
	floating := make(chan struct{})
	var once sync.Once
	look := func(f ledger.Floating) {
		if len(f.Addresses) > 0 {
			once.Do(func() { close(floating) })
		}
	}
	look(o.Ledger.Floating)
	if follow := o.Follow; follow != nil {
		o.Follow = func(ctx context.Context, emit func(registrar.Pod)) error {
			return follow(ctx, func(p registrar.Pod) {
				look(p.Floating)
				emit(p)
			})
		}
	}
	return floating
}

// listenAgain is the wait before the metrics' port is tried again.
const listenAgain = 10 * time.Second

// metrics serves them where --metrics-address asks for it; nil otherwise. A port
// that the application has costs the metrics, not the routes, and is tried again.
func (s *settings) metrics(ctx context.Context, log *slog.Logger, servers *sync.WaitGroup) *metrics.Metrics {
	if s.metricsAddress == "" {
		return nil
	}
	m := metrics.New()
	l, err := net.Listen("tcp", s.metricsAddress)
	if err != nil {
		log.Error("metrics are not served: give the registrar a port of its own by --metrics-address", "address", s.metricsAddress, "error", err)
	}
	servers.Go(func() {
		for ; err != nil; l, err = net.Listen("tcp", s.metricsAddress) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(listenAgain):
			}
		}
		log.Info("serving metrics", "address", l.Addr().String())
		if err := m.Serve(ctx, l); err != nil {
			log.Error("metrics are not served any more", "error", err)
		}
	})
	return m
}

// control serves the status socket. A state directory that cannot have one
// costs the status command, not the routes; one that is in use ends the run.
func (s *settings) control(ctx context.Context, log *slog.Logger, servers *sync.WaitGroup) (func(control.Document), error) {
	l, err := listen(s.stateDir)
	var inUse *control.InUseError
	if errors.As(err, &inUse) {
		return nil, err
	}
	if err != nil {
		log.Error("no status socket", "error", err,
			"cure", "give the registrar a writable --state-dir (an emptyDir); until then 'status' and 'wait' do not work")
		return func(control.Document) {}, nil
	}
	server := control.NewServer()
	servers.Go(func() {
		if err := server.Serve(ctx, l); err != nil {
			log.Error("the status socket is not served any more", "error", err)
		}
	})
	return server.Publish, nil
}

func listen(dir string) (net.Listener, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the state directory: %w", err)
	}
	return control.Listen(dir)
}

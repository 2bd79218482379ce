// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package metrics counts what the registrar does, for Prometheus.
package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/net/netutil"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
)

// Metrics is an observer of a registrar and of its EC2 client.
type Metrics struct {
	registry  *prometheus.Registry
	addresses *prometheus.GaugeVec
	ready     prometheus.Gauge
	calls     *prometheus.CounterVec
	latency   *prometheus.HistogramVec
	reaction  prometheus.Histogram
	failovers prometheus.Counter
	contested prometheus.Counter
	steals    prometheus.Counter
}

// New makes the metrics in a registry of their own.
func New() *Metrics {
	const ns = "multus_ip_registrar"
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		addresses: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: ns, Name: "addresses",
			Help: "Addresses of the pod's Multus interfaces by state; one that is routed counts in each route table."}, []string{"state"}),
		ready: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: ns, Name: "ready",
			Help: "1 when every wanted address is routed, else 0."}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Name: "ec2_calls_total",
			Help: `EC2 requests by action and code: "OK", EC2's error code, or the registrar's where EC2 gave none, such as EC2Unreachable.`}, []string{"action", "code"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: ns, Name: "ec2_call_duration_seconds",
			Help:    "Time from an EC2 request to its answer.",
			Buckets: []float64{.01, .025, .05, .1, .2, .3, .5, 1, 2, 5, 10}}, []string{"action"}),
		reaction: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: ns, Name: "reaction_seconds",
			Help:    "Time from the kernel's notification of a new address to its EC2 request.",
			Buckets: []float64{.0002, .0005, .001, .002, .005, .01, .025, .1, 1}}),
		failovers: prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Name: "failovers_total",
			Help: "Addresses that came after the pod was once routed and were assigned; one that is routed counts in each route table."}),
		contested: prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Name: "contested_total",
			Help: "Times that an address of the pod was found on another ENI, or one of its routes elsewhere."}),
		steals: prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Name: "holddown_claims_total",
			Help: "Times that a contested address was claimed again after its hold-down."}),
	}
	m.registry.MustRegister(m.addresses, m.ready, m.calls, m.latency, m.reaction, m.failovers, m.contested, m.steals,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Decided counts a decision.
func (m *Metrics) Decided(e ledger.Event) {
	switch e.Kind {
	case ledger.Acked:
		if e.Failover && !e.Noticed.IsZero() {
			m.failovers.Inc()
		}
	case ledger.WasContested:
		m.contested.Inc()
	case ledger.Taken:
		m.steals.Inc()
	}
}

// Reacted counts a reaction.
func (m *Metrics) Reacted(d time.Duration) { m.reaction.Observe(d.Seconds()) }

// Stands notes how the registrar stands.
func (m *Metrics) Stands(byState map[ledger.State]int, ready bool) {
	for _, s := range ledger.States {
		m.addresses.WithLabelValues(string(s)).Set(float64(byState[s]))
	}
	value := 0.0
	if ready {
		value = 1
	}
	m.ready.Set(value) // once: a scrape may come in between
}

// Called counts an EC2 request; code is "" for success.
func (m *Metrics) Called(action, code string, d time.Duration) {
	if code == "" {
		code = "OK"
	}
	m.calls.WithLabelValues(action, code).Inc()
	m.latency.WithLabelValues(action).Observe(d.Seconds())
}

// Handler answers a scrape.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// maxConns bounds the connections of scrapes: all of the pod's networks reach
// the port, and each connection takes some 20 kB of a container with 64 MiB.
const maxConns = 16

// Serve answers scrapes on l at /metrics until ctx ends.
func (m *Metrics) Serve(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	h := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	stop := context.AfterFunc(ctx, func() { h.Close() })
	defer stop()
	if err := h.Serve(netutil.LimitListener(l, maxConns)); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve metrics: %w", err)
	}
	return nil
}

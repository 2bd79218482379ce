// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package metrics counts what the webhook does, for Prometheus.
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/inject"
)

// Metrics observes a webhook.
type Metrics struct {
	registry   *prometheus.Registry
	admissions *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	failures   prometheus.Counter
}

// New makes the metrics in a registry of their own. expiry tells when the serving
// certificate ends; zero for none.
func New(expiry func() time.Time) *Metrics {
	const ns = "multus_ip_registrar_webhook"
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		admissions: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Name: "admissions_total",
			Help: "Reviews by outcome (injected, repaired, skipped, refused, failed) and reason."}, []string{"outcome", "reason"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: ns, Name: "admission_duration_seconds",
			Help:    "Time from a review's first byte to its answer.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .1, .5, 1, 2, 10}}, []string{"outcome"}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Name: "certificate_failures_total",
			Help: "Times that the serving certificate could not be loaded or kept."}),
	}
	ends := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: ns, Name: "certificate_expiry_timestamp_seconds",
		Help: "When the serving certificate ends; 0 where there is none."}, func() float64 {
		if t := expiry(); !t.IsZero() {
			return float64(t.Unix())
		}
		return 0
	})
	m.registry.MustRegister(m.admissions, m.duration, m.failures, ends,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Reviewed counts a review.
func (m *Metrics) Reviewed(o inject.Outcome, r inject.Reason, took time.Duration) {
	m.admissions.WithLabelValues(string(o), string(r)).Inc()
	m.duration.WithLabelValues(string(o)).Observe(took.Seconds())
}

// CertificateFailed counts a failure to load or keep the certificate.
func (m *Metrics) CertificateFailed() { m.failures.Inc() }

// Handler serves them.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

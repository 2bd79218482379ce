// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// What a client may take its time for. API servers are quick; these times are
// for what is none.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	// writeTimeout is the longest that an API server waits for a webhook.
	// Source: admissionregistration.k8s.io/v1, timeoutSeconds.
	writeTimeout = 30 * time.Second
	// idleTimeout is longer than the 90 s after which an API server's client
	// closes an idle connection: so it is never closed under a request that is
	// just being sent. Source: k8s.io/apimachinery/pkg/util/net, SetTransportDefaults.
	idleTimeout = 3 * time.Minute
	maxHeader   = 16 << 10
)

// webServer answers the API server.
func (a *app) webServer() *http.Server {
	mux := http.NewServeMux()
	mux.Handle("/inject", a.parting(inTime(a.handler)))
	return &http.Server{
		Handler: mux, TLSConfig: a.pair.Config(), MaxHeaderBytes: maxHeader,
		// The time of the first request's header begins with the connection,
		// which an API server's client may have dialled without need and keep
		// unused: so it is an idle time. WriteTimeout bounds the handshake.
		ReadHeaderTimeout: idleTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		// A refused handshake is the first sign of a wrong CA bundle.
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
	}
}

// inTime bounds the reading of a body. The server's own ReadTimeout would begin with
// the connection, as ReadHeaderTimeout does.
func inTime(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// There is always a connection but in tests of handlers.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTimeout))
		h.ServeHTTP(w, r)
	})
}

// parting ends connections in a drain, each with the answer to a request. An API
// server keeps its connections, whatever becomes of the endpoint; a request that
// comes just when Shutdown closes one is lost to it, since it is no GET.
func (a *app) parting(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}

// opsServer answers kubelet and Prometheus.
func (a *app) opsServer() *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if why := a.unready(); why != "" {
			http.Error(w, why, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.Handle("GET /metrics", a.metrics)
	return &http.Server{
		Handler: mux, MaxHeaderBytes: maxHeader,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
	}
}

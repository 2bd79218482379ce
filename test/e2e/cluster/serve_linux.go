// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/ec2api"
	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/node/config"
)

// The names of Unix sockets in the cluster's directory, which programs outside
// of its namespaces can use.
const (
	// APISocket leads to the API server.
	APISocket = "api.sock"
	// ControlSocket serves HTTP:
	//
	//	…     /_vpcsim/…            the admin API of the VPC, see package ec2api
	//	POST  /ec2/                 EC2 itself, for an operator
	//	POST  /workers/NAME/run …   the agent of a worker, see package config
	//	POST  /workers/NAME/cut     cut the worker's power
	//	POST  /workers/NAME/boot    switch it on again
	//	POST  /workers/NAME/unplug/ENI   detach an ENI whose interface is down
	//	POST  /workers/NAME/plug/ENI     attach it again
	ControlSocket = "control.sock"
)

func (c *Cluster) serve(ctx context.Context) error {
	l, err := c.listen(ctx, APISocket)
	if err != nil {
		return err
	}
	c.servers = append(c.servers, l.Close)
	go relay(l, func() (net.Conn, error) { return c.dial(context.Background(), c.apiAddress()) })

	if l, err = c.listen(ctx, ControlSocket); err != nil {
		return err
	}
	server := &http.Server{Handler: c.handler(), ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}
	c.servers = append(c.servers, server.Close)
	go func() { _ = server.Serve(l) }() // ends by Close only
	return nil
}

func (c *Cluster) listen(ctx context.Context, name string) (net.Listener, error) {
	return (&net.ListenConfig{}).Listen(ctx, "unix", filepath.Join(c.opts.Dir, name))
}

func (c *Cluster) handler() http.Handler {
	mux := http.NewServeMux()
	ec2 := proxy(func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(c.sim.Fabric.Dir(), vpcsim.Socket))
	})
	mux.Handle(ec2api.AdminPath, ec2)
	mux.Handle("/ec2/", http.StripPrefix("/ec2", ec2))
	for _, w := range c.workers {
		prefix := "/workers/" + w.name
		agent := netip.AddrPortFrom(c.address(w.name).Addr(), config.AgentPort).String()
		mux.Handle(prefix+"/", http.StripPrefix(prefix, proxy(func(ctx context.Context) (net.Conn, error) {
			return c.dial(ctx, agent)
		})))
		for name, change := range map[string]func(context.Context, string) error{"plug": w.plug, "unplug": w.unplug} {
			mux.HandleFunc("POST "+prefix+"/"+name+"/{eni}", func(rw http.ResponseWriter, r *http.Request) {
				if err := change(r.Context(), r.PathValue("eni")); err != nil {
					http.Error(rw, err.Error(), http.StatusConflict)
				}
			})
		}
		mux.HandleFunc("POST "+prefix+"/cut", func(http.ResponseWriter, *http.Request) { w.cut() })
		mux.HandleFunc("POST "+prefix+"/boot", func(rw http.ResponseWriter, _ *http.Request) {
			if err := w.boot(); err != nil {
				http.Error(rw, err.Error(), http.StatusConflict)
			}
		})
	}
	return mux
}

// proxy passes requests on over connections of its own.
func proxy(dial func(context.Context) (net.Conn, error)) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", "cluster"
		},
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			http.Error(w, fmt.Sprintf("ask %s: %v", strings.TrimPrefix(r.URL.Path, "/"), err), http.StatusBadGateway)
		},
	}
}

// Relay leads connections that l accepts to a Unix socket, until l is closed.
func Relay(l net.Listener, socket string) {
	relay(l, func() (net.Conn, error) { return net.Dial("unix", socket) })
}

func relay(l net.Listener, dial func() (net.Conn, error)) {
	for {
		from, err := l.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				time.Sleep(10 * time.Millisecond) // too many files; they will be fewer
				continue
			}
			return
		}
		go func() {
			defer from.Close()
			to, err := dial()
			if err != nil {
				return // who connected sees that it is closed
			}
			defer to.Close()
			ended := make(chan struct{}, 2)
			for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
				go func() {
					_, _ = io.Copy(way[1], way[0])
					ended <- struct{}{}
				}()
			}
			<-ended // TLS closes both ways at once
		}()
	}
}

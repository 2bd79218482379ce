// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/node/config"
)

// An agent does what an operator at the node's console would.
type agent struct{ net.Listener }

func listen(n config.Node) (agent, error) {
	l, err := net.Listen("tcp4", netip.AddrPortFrom(n.Primary.Addr(), config.AgentPort).String())
	return agent{l}, err
}

func (a agent) serve(services map[string]*service) error {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /run", func(w http.ResponseWriter, r *http.Request) {
		var c config.Command
		if err := json.NewDecoder(r.Body).Decode(&c); err != nil || len(c.Args) == 0 {
			http.Error(w, fmt.Sprintf("read the command: %v", err), http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(execute(r, c)) // a caller who is gone needs no answer
	})
	change := func(do func(*service) error) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			s := services[r.PathValue("service")]
			if s == nil {
				http.Error(w, fmt.Sprintf("there is no service %q", r.PathValue("service")), http.StatusNotFound)
				return
			}
			if err := do(s); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		}
	}
	mux.HandleFunc("POST /stop/{service}", change((*service).stop))
	mux.HandleFunc("POST /start/{service}", change(func(s *service) error { s.start(); return nil }))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	return server.Serve(a)
}

func execute(r *http.Request, c config.Command) config.Result {
	out, err := exec.CommandContext(r.Context(), c.Args[0], c.Args[1:]...).CombinedOutput()
	result := config.Result{Output: string(out)}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		result.ExitCode = exit.ExitCode()
	} else if err != nil {
		result.ExitCode, result.Output = -1, result.Output+err.Error()
	}
	return result
}

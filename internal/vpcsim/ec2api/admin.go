// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// AdminPath is where the admin API begins:
//
//	GET    calls[?action=A…]  the call log, oldest first; "*" matches
//	DELETE calls              empty it
//	GET    faults             what is injected
//	POST   faults             inject one; answers {"id": N}
//	DELETE faults[/N]         remove one, or all
//	GET    enis[/REF]         all ENIs, or one by id or topology name
//	GET    imds/WORKER        how that IMDS behaves
//	PATCH  imds/WORKER        change it: down, blocked, staleness, hopLimit
//	GET    topology           the topology as YAML
const AdminPath = "/_vpcsim/"

func newAdmin(v *model.VPC) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+AdminPath+"calls", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"calls": callsJSON(v.Calls(r.URL.Query()["action"]...))})
	})
	mux.HandleFunc("DELETE "+AdminPath+"calls", func(w http.ResponseWriter, _ *http.Request) {
		v.ResetCalls()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET "+AdminPath+"faults", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"faults": faultsJSON(v.Faults())})
	})
	mux.HandleFunc("POST "+AdminPath+"faults", func(w http.ResponseWriter, r *http.Request) {
		var f faultJSON
		if !readJSON(w, r, &f) {
			return
		}
		if err := f.model().Validate(); err != nil {
			writeJSON(w, http.StatusBadRequest, errorJSON{err.Error()})
			return
		}
		writeJSON(w, http.StatusCreated, map[string]int{"id": v.AddFault(f.model())})
	})
	mux.HandleFunc("DELETE "+AdminPath+"faults", func(w http.ResponseWriter, _ *http.Request) {
		for _, f := range v.Faults() {
			v.RemoveFault(f.ID)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("DELETE "+AdminPath+"faults/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(r.PathValue("id"))
		if err != nil || !v.RemoveFault(id) {
			writeJSON(w, http.StatusNotFound, errorJSON{fmt.Sprintf("there is no fault %q; GET %sfaults lists them", r.PathValue("id"), AdminPath)})
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET "+AdminPath+"enis", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"enis": enisJSON(v.ENIs())})
	})
	mux.HandleFunc("GET "+AdminPath+"enis/{ref}", func(w http.ResponseWriter, r *http.Request) {
		e, ok := v.ENI(r.PathValue("ref"))
		if !ok {
			writeJSON(w, http.StatusNotFound, errorJSON{fmt.Sprintf("there is no ENI %q; GET %senis lists them", r.PathValue("ref"), AdminPath)})
			return
		}
		writeJSON(w, http.StatusOK, newENIJSON(e))
	})
	imdsRoutes(mux, v)
	mux.HandleFunc("GET "+AdminPath+"topology", func(w http.ResponseWriter, _ *http.Request) {
		text, err := yaml.Marshal(v.Topology())
		if err != nil {
			writeJSON(w, http.StatusInternalServerError, errorJSON{err.Error()})
			return
		}
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(text)
	})
	return mux
}

func imdsRoutes(mux *http.ServeMux, v *model.VPC) {
	mux.HandleFunc("GET "+AdminPath+"imds/{worker}", func(w http.ResponseWriter, r *http.Request) {
		writeIMDS(w, r, v)
	})
	mux.HandleFunc("PATCH "+AdminPath+"imds/{worker}", func(w http.ResponseWriter, r *http.Request) {
		var change imdsJSON
		if readJSON(w, r, &change) && knownWorker(w, r, v) {
			v.TuneIMDS(r.PathValue("worker"), change.apply)
			writeIMDS(w, r, v)
		}
	})
}

func writeIMDS(w http.ResponseWriter, r *http.Request, v *model.VPC) {
	if knownWorker(w, r, v) {
		writeJSON(w, http.StatusOK, newIMDSJSON(v.IMDS(r.PathValue("worker"))))
	}
}

func knownWorker(w http.ResponseWriter, r *http.Request, v *model.VPC) bool {
	_, err := v.Instance(r.PathValue("worker"))
	if err != nil {
		writeJSON(w, http.StatusNotFound, errorJSON{err.Error()})
	}
	return err == nil
}

type errorJSON struct {
	Error string `json:"error"`
}

func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		writeJSON(w, http.StatusBadRequest, errorJSON{"read the JSON document: " + err.Error()})
		return false
	}
	return true
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(body) // a caller who is gone needs no answer
}

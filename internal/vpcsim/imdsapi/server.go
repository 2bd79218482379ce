// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package imdsapi

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// Headers of IMDSv2. Source: EC2 user guide, "Use IMDSv2".
const (
	headerToken = "X-Aws-Ec2-Metadata-Token"
	headerTTL   = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
)

// Bounds of a token's life. Source: as above.
const (
	minTTL = 1 * time.Second
	maxTTL = 21600 * time.Second
)

// Paths.
const (
	pathToken    = "/latest/api/token"
	pathMetaData = "/latest/meta-data"
	pathDocument = "/latest/dynamic/instance-identity/document"
)

// A Server is the instance metadata service of one worker.
type Server struct {
	vpc    *model.VPC
	worker string
	tokens tokens
}

// New returns the metadata service of the worker with that topology name. A
// worker that is not in the topology is answered for with 404 throughout.
func New(v *model.VPC, worker string) *Server {
	return &Server{vpc: v, worker: worker}
}

// HopLimit is the IP TTL that answers to token requests must have now.
func (s *Server) HopLimit() int { return s.vpc.IMDS(s.worker).HopLimit }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch state := s.vpc.IMDS(s.worker); {
	case state.Blocked:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case state.Down:
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Server", "EC2ws")
	if r.URL.Path == pathToken {
		s.token(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refuse(w, http.StatusMethodNotAllowed)
		return
	}
	left, ok := s.tokens.left(r.Header.Get(headerToken))
	if !ok {
		refuse(w, http.StatusUnauthorized)
		return
	}
	w.Header().Set(headerTTL, seconds(left))
	text, kind, ok := s.get(r.URL.Path)
	if !ok {
		refuse(w, http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	_, _ = w.Write([]byte(text)) // a caller who is gone needs no answer
}

// token answers a request for a token.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPut {
		refuse(w, http.StatusMethodNotAllowed)
		return
	}
	// A proxy in between is refused. Source: EC2 user guide, "Use IMDSv2".
	if r.Header.Get("X-Forwarded-For") != "" {
		refuse(w, http.StatusForbidden)
		return
	}
	n, err := strconv.Atoi(r.Header.Get(headerTTL))
	ttl := time.Duration(n) * time.Second
	if err != nil || ttl < minTTL || ttl > maxTTL {
		refuse(w, http.StatusBadRequest)
		return
	}
	w.Header().Set(headerTTL, seconds(ttl))
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write([]byte(s.tokens.issue(ttl)))
}

// get returns what is at a path. A path that ends in a slash, or could, is a
// directory when it has something below it.
func (s *Server) get(path string) (text, contentType string, ok bool) {
	instance, err := s.vpc.Instance(s.worker)
	if err != nil {
		return "", "", false
	}
	if path == pathDocument {
		return document(instance), "application/json", true
	}
	rest, ok := strings.CutPrefix(path, pathMetaData)
	if !ok || rest != "" && rest[0] != '/' {
		return "", "", false
	}
	text, ok = metaData(instance, s.vpc.RoleCredentials(s.worker)).read(rest)
	return text, "text/plain", ok
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// refuse answers with a status and the page that IMDS sends with it.
func refuse(w http.ResponseWriter, status int) {
	text := fmt.Sprintf("%d - %s", status, http.StatusText(status))
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<html><head><title>%s</title></head><body><h1>%s</h1></body></html>\n", text, text)
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// maxBody is the most bytes of a request: far above what a call with a
// thousand addresses needs.
const maxBody = 1 << 20

// apiVersion is the only one that EC2's SDKs use.
const apiVersion = "2016-11-15"

// New returns the EC2 API of a VPC, with the admin API below AdminPath.
func New(v *model.VPC) http.Handler {
	api := &server{vpc: v, actions: actions()}
	mux := http.NewServeMux()
	mux.Handle(AdminPath, newAdmin(v))
	mux.HandleFunc("GET "+pingPath, func(w http.ResponseWriter, _ *http.Request) { ping(w, v) })
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "" {
			ping(w, v)
			return
		}
		api.ServeHTTP(w, r)
	})
	mux.Handle("/", api)
	return mux
}

type server struct {
	vpc     *model.VPC
	actions map[string]action
}

// ServeHTTP answers one call.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := requestID()
	values, err := parameters(w, r)
	if err != nil {
		writeError(w, id, err)
		return
	}
	f := newForm(values)
	ctx := model.WithCaller(r.Context(), model.Caller{
		AccessKey: accessKey(r, values), Token: r.Header.Get("X-Amz-Security-Token"), Params: f.params,
	})
	name := f.text("Action")
	do, known := s.actions[name]
	var answer reply
	var failed error
	switch {
	case name == "":
		failed = s.vpc.Reject(ctx, name, model.Refuse("MissingAction", "The request must contain the parameter Action"))
	case !known:
		failed = s.vpc.Reject(ctx, name, model.Refuse("InvalidAction", "The action %s is not valid for this web service.", name))
	default:
		if v := f.text("Version"); v != apiVersion {
			failed = s.vpc.Reject(ctx, name, model.Refuse("NoSuchVersion", "The requested version (%s) of service ec2 does not exist", v))
			break
		}
		answer, failed = do(ctx, s.vpc, f)
	}
	if refusal, ok := errors.AsType[*model.Error](failed); ok {
		writeError(w, id, refusal)
		return
	}
	if failed != nil {
		// A dropped connection, or a caller who is gone: close without an
		// answer. The server of net/http and Transport both know this panic.
		panic(http.ErrAbortHandler)
	}
	writeReply(w, id, name, answer)
}

// parameters are those of the query and of the form in the body.
func parameters(w http.ResponseWriter, r *http.Request) (url.Values, *model.Error) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return nil, &model.Error{Code: "UnsupportedHttpVerb", Message: fmt.Sprintf("The HTTP verb %s is not supported", r.Method), HTTPStatus: http.StatusMethodNotAllowed}
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, malformed(err)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, &model.Error{Code: "RequestEntityTooLarge", Message: fmt.Sprintf("The request is larger than %d bytes", maxBody), HTTPStatus: http.StatusRequestEntityTooLarge}
	}
	more, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, malformed(err)
	}
	for k, vs := range more {
		values[k] = append(values[k], vs...)
	}
	return values, nil
}

func malformed(err error) *model.Error {
	return model.Refuse("MalformedQueryString", "The query string contains a syntax error: %v", err)
}

// accessKey is the access key id of a request that is signed with Signature
// Version 4, in a header or in the query; "" for an unsigned one.
func accessKey(r *http.Request, values url.Values) string {
	scope := values.Get("X-Amz-Credential")
	if _, after, ok := strings.Cut(r.Header.Get("Authorization"), "Credential="); ok {
		scope = after
	}
	key, _, _ := strings.Cut(scope, "/")
	return key
}

// requestID is a fresh id of EC2's form.
func requestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, says crypto/rand
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

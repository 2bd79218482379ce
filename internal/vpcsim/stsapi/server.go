// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package stsapi

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// Path is where the API is served beside EC2's, for AWS_ENDPOINT_URL_STS.
const Path = "/_vpcsim/sts/"

// A Server is the API.
type Server struct {
	// VPC tells the workers' access keys.
	VPC *model.VPC
	// Lifetime is how long credentials are good for; 0 is an hour, as the SDKs
	// ask for.
	Lifetime time.Duration
	// Latency is how long a call takes.
	Latency time.Duration

	calls atomic.Int64
}

// Role is the ARN to assume for the credentials of a worker.
func Role(account, worker string) string { return "arn:aws:iam::" + account + ":role/" + worker }

// Calls is how often credentials were asked for.
func (s *Server) Calls() int { return int(s.calls.Load()) }

type answer struct {
	XMLName     xml.Name    `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleWithWebIdentityResponse"`
	Credentials credentials `xml:"AssumeRoleWithWebIdentityResult>Credentials"`
}

type credentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.calls.Add(1)
	arrived := time.Now()
	if got := r.FormValue("Action"); got != "AssumeRoleWithWebIdentity" {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidAction</Code><Message>Could not find operation %q</Message></Error></ErrorResponse>", got)
		return
	}
	role := r.FormValue("RoleArn")
	c := s.VPC.Credentials(role[strings.LastIndex(role, "/")+1:])
	lifetime := s.Lifetime
	if lifetime == 0 {
		lifetime = time.Hour
	}
	select {
	case <-time.After(s.Latency):
	case <-r.Context().Done():
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	_ = xml.NewEncoder(w).Encode(answer{Credentials: credentials{ // a caller who is gone needs no answer
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.Token,
		Expiration: arrived.Add(lifetime).UTC().Format(time.RFC3339Nano),
	}})
}

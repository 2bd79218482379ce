// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package stsapi

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// TestTheSDKGetsAWorkersCredentials: the real provider, over HTTP.
func TestTheSDKGetsAWorkersCredentials(t *testing.T) {
	topo, err := topology.Parse("world.yaml", []byte(`
vpc: {cidrs: [10.0.0.0/16]}
subnets: [{name: sig, cidr: 10.0.1.0/24}]
workers: [{name: worker1, enis: [{name: a0, index: 0, subnet: sig, ip: 10.0.1.10}]}]
`))
	if err != nil {
		t.Fatal(err)
	}
	v, err := model.New(topo)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{VPC: v, Lifetime: 90 * time.Second, Latency: 20 * time.Millisecond}
	srv := httptest.NewServer(s)
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("t"), 0o600); err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{
		"AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL_STS": srv.URL + Path, "AWS_WEB_IDENTITY_TOKEN_FILE": file,
		"AWS_ROLE_ARN": Role("111122223333", "worker1"), "AWS_ACCESS_KEY_ID": "", "AWS_CONFIG_FILE": file + "-none", "AWS_SHARED_CREDENTIALS_FILE": file + "-none",
	} {
		t.Setenv(k, v)
	}
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	got, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < s.Latency {
		t.Errorf("took %v", took)
	}
	want := v.Credentials("worker1")
	if got.AccessKeyID != want.AccessKeyID || got.SessionToken != want.Token {
		t.Errorf("got %s, want %s", got.AccessKeyID, want.AccessKeyID)
	}
	if d := got.Expires.Sub(began); d < s.Lifetime-time.Second || d > s.Lifetime+5*time.Second {
		t.Errorf("good for %v, want %v", d, s.Lifetime)
	}
	if s.Calls() != 1 {
		t.Errorf("%d calls", s.Calls())
	}
	resp, err := http.Get(srv.URL + Path)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("an action that is not there: %s", resp.Status)
	}
}

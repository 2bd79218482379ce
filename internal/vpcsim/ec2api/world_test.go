// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"
	"go.uber.org/goleak"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

const world = `
vpc: {cidrs: [10.0.0.0/16, "2600:1f14:1:200::/56"]}
subnets:
- {name: sig, cidr: 10.0.1.0/24, ipv6: "2600:1f14:1:201::/64", tags: {Name: signalling}}
workers:
- name: worker1
  ipv4-per-eni: 6
  ipv6-per-eni: 4
  enis:
  - {name: a0, index: 0, subnet: sig, ip: 10.0.1.10}
  - {name: a1, index: 1, subnet: sig, ip: 10.0.1.11, ipv6: ["2600:1f14:1:201::11"], prefixes: [10.0.1.32/28, "2600:1f14:1:201:1::/80"],
     tags: {node.k8s.amazonaws.com/no_manage: "true", Name: "<a> & b"}}
- name: worker2
  enis:
  - {name: b0, index: 0, subnet: sig, ip: 10.0.1.20}
  - {name: b1, index: 1, subnet: sig, ip: 10.0.1.21, secondary: [10.0.1.50]}
  - {name: b2, index: 2, subnet: sig, ip: 10.0.1.22}
  - {name: b3, index: 3, subnet: sig, ip: 10.0.1.23}
`

func newWorld(t testing.TB) *model.VPC {
	t.Helper()
	topo, err := topology.Parse("world.yaml", []byte(world))
	if err != nil {
		t.Fatal(err)
	}
	v, err := model.New(topo)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func id(name string) *string { return aws.String(topology.DeriveID("eni", name)) }

// serve runs the API on a real server until the test ends.
func serve(t testing.TB, v *model.VPC) string {
	t.Helper()
	s := httptest.NewServer(New(v))
	t.Cleanup(s.Close)
	return s.URL
}

// client returns the real SDK's client for an endpoint, without retries.
func client(endpoint string, accessKey string, via http.RoundTripper) *ec2.Client {
	return ec2.New(ec2.Options{
		Region:       "eu-central-1",
		BaseEndpoint: aws.String(endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider(accessKey, "secret", "token"),
		HTTPClient:   &http.Client{Transport: via},
		Retryer:      aws.NopRetryer{},
	})
}

// wantCode fails the test unless err is the SDK's APIError of that code and text.
func wantCode(t testing.TB, err error, code, message string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || e.ErrorMessage() != message {
		t.Errorf("got  %v\nwant %s: %s", err, code, message)
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

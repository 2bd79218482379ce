// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package imdsapi

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// sdk returns the real SDK's client of a worker's metadata on a real server.
func sdk(t *testing.T, v *model.VPC) *imds.Client {
	t.Helper()
	s := httptest.NewServer(New(v, "worker1"))
	t.Cleanup(s.Close)
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return imds.New(imds.Options{Endpoint: s.URL, HTTPClient: &http.Client{Transport: tr}, Retryer: aws.NopRetryer{}, EnableFallback: aws.FalseTernary})
}

func TestSDKReadsMetadata(t *testing.T) {
	c := sdk(t, newWorld(t))
	ctx := context.Background()
	out, err := c.GetMetadata(ctx, &imds.GetMetadataInput{Path: "network/interfaces/macs/02:00:00:00:00:01/local-ipv4s"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(out.Content)
	if err != nil || string(text) != "10.0.1.11\n10.0.1.50\n10.0.1.51" {
		t.Errorf("got %q, %v", text, err)
	}
	region, err := c.GetRegion(ctx, nil)
	if err != nil || region.Region != "eu-central-1" {
		t.Errorf("got %+v, %v", region, err)
	}
	if _, err := c.GetMetadata(ctx, &imds.GetMetadataInput{Path: "nothing"}); err == nil {
		t.Error("what is not there was found")
	}
}

func TestSDKGetsTheRolesCredentials(t *testing.T) {
	v := newWorld(t)
	p := ec2rolecreds.New(func(o *ec2rolecreds.Options) { o.Client = sdk(t, v) })
	got, err := p.Retrieve(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	want := v.RoleCredentials("worker1")
	if got.AccessKeyID != want.AccessKeyID || got.SecretAccessKey != want.SecretAccessKey || got.SessionToken != want.Token || !got.CanExpire {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestSDKSeesThatIMDSIsDown(t *testing.T) {
	v := newWorld(t)
	c := sdk(t, v)
	v.TuneIMDS("", func(s *model.IMDSState) { s.Down = true })
	if _, err := c.GetMetadata(context.Background(), &imds.GetMetadataInput{Path: "mac"}); err == nil {
		t.Error("down, but answered")
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vpcsim

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// TestSDKRenewsTheRolesCredentials runs for a life of credentials that last
// for seconds, with the SDK's own cache.
func TestSDKRenewsTheRolesCredentials(t *testing.T) {
	topo, err := topology.Load("../../examples/vpcsim/two-workers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const last = 4 * time.Second
	topo.EC2, topo.IMDS.CredentialsLast = topology.EC2{}, last
	s, err := Start(t.Context(), topo, Options{NoFabric: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	client := &http.Client{Transport: tr}
	cache := aws.NewCredentialsCache(ec2rolecreds.New(func(o *ec2rolecreds.Options) {
		o.Client = imds.New(imds.Options{Endpoint: s.IMDSURL("worker1"), HTTPClient: client})
	}))
	call := func(p aws.CredentialsProvider) error {
		c := ec2.New(ec2.Options{
			Region: "eu-central-1", BaseEndpoint: &s.EC2URL, HTTPClient: client, Credentials: p, RetryMaxAttempts: 1,
		})
		_, err := c.DescribeNetworkInterfaces(t.Context(), &ec2.DescribeNetworkInterfacesInput{})
		return err
	}

	first, err := cache.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(first.Expires); !first.CanExpire || left > last || left < 0 {
		t.Errorf("the credentials expire: %v, in %v; want within %v", first.CanExpire, left, last)
	}
	old := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return first, nil })
	if err := errors.Join(call(cache), call(old)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(first.Expires) + 10*time.Millisecond)

	var refused smithy.APIError
	if err := call(old); !errors.As(err, &refused) || refused.ErrorCode() != model.CodeRequestExpired {
		t.Errorf("old credentials: %v, want %s", err, model.CodeRequestExpired)
	}
	if err := call(cache); err != nil {
		t.Errorf("the SDK did not renew them: %v", err)
	}
	second, err := cache.Retrieve(t.Context())
	if err != nil || second.SessionToken == first.SessionToken || second.SecretAccessKey == first.SecretAccessKey {
		t.Errorf("%v; the second credentials are the first", err)
	}
	calls := s.VPC.Calls("DescribeNetworkInterfaces")
	if last := calls[len(calls)-1]; last.Worker != "worker1" {
		t.Errorf("the renewed credentials are those of %q, want worker1", last.Worker)
	}
	static := s.VPC.Credentials("worker1")
	if err := call(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: static.AccessKeyID, SecretAccessKey: static.SecretAccessKey, SessionToken: static.Token}, nil
	})); err != nil {
		t.Errorf("those of a program's environment: %v", err)
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vpcsim

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/ec2api"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/imdsapi"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// TestSDKRenewsTheRolesCredentials follows the SDK, with its own cache, beyond
// the end of the first credentials.
func TestSDKRenewsTheRolesCredentials(t *testing.T) {
	for name, last := range map[string]time.Duration{"as in EC2": 0, "short": 10 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { sdkRenews(t, last) })
		})
	}
}

func sdkRenews(t *testing.T, last time.Duration) {
	topo, err := topology.Load("../../examples/vpcsim/two-workers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	topo.EC2, topo.IMDS.CredentialsLast = topology.EC2{}, last
	v, err := model.New(topo)
	if err != nil {
		t.Fatal(err)
	}
	cache := aws.NewCredentialsCache(ec2rolecreds.New(func(o *ec2rolecreds.Options) {
		o.Client = imds.New(imds.Options{HTTPClient: &http.Client{Transport: ec2api.Transport{Handler: imdsapi.New(v, "worker1")}}})
	}))
	call := func(p aws.CredentialsProvider) error {
		c := ec2.New(ec2.Options{
			Region: "eu-central-1", HTTPClient: &http.Client{Transport: ec2api.Transport{Handler: ec2api.New(v)}}, Credentials: p,
		})
		_, err := c.DescribeNetworkInterfaces(t.Context(), &ec2.DescribeNetworkInterfacesInput{})
		return err
	}
	get := func() aws.Credentials {
		t.Helper()
		c, err := cache.Retrieve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}

	first := get()
	end := v.RoleCredentials("worker1").Expiration
	if !first.CanExpire || first.Expires.After(end) {
		t.Errorf("the credentials expire: %v, at %v; want at %v at the latest", first.CanExpire, first.Expires, end)
	}
	old := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return first, nil })
	time.Sleep(time.Until(end) - time.Nanosecond)
	if err := errors.Join(call(cache), call(old)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Nanosecond)

	var refused smithy.APIError
	if err := call(old); !errors.As(err, &refused) || refused.ErrorCode() != model.CodeRequestExpired {
		t.Errorf("old credentials: %v, want %s", err, model.CodeRequestExpired)
	}
	if err := call(cache); err != nil {
		t.Errorf("the SDK did not renew them: %v", err)
	}
	if second := get(); second.SessionToken == first.SessionToken || second.SecretAccessKey == first.SecretAccessKey {
		t.Error("the second credentials are the first")
	}
	calls := v.Calls("DescribeNetworkInterfaces")
	if last := calls[len(calls)-1]; last.Worker != "worker1" {
		t.Errorf("the renewed credentials are those of %q, want worker1", last.Worker)
	}
	static := v.Credentials("worker1")
	if err := call(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: static.AccessKeyID, SecretAccessKey: static.SecretAccessKey, SessionToken: static.Token}, nil
	})); err != nil {
		t.Errorf("those of a program's environment: %v", err)
	}
}

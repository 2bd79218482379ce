// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

const twoWorkers = `
vpc: {cidrs: [10.0.0.0/16, "2001:db8::/56"]}
subnets:
- {name: sig, cidr: 10.0.1.0/24, ipv6: "2001:db8:0:1::/64"}
workers:
- name: worker1
  enis:
  - {name: a0, index: 0, subnet: sig, ip: 10.0.1.10}
  - {name: a1, index: 1, subnet: sig, ip: 10.0.1.11}
`

// What EC2 and STS, which are a round trip away, do in shortened time.
var faraway = vpcsim.Remote{
	RoundTrip: 20 * time.Millisecond, IdleTimeout: 1500 * time.Millisecond,
	CredentialsLast: 3 * time.Second, STSLatency: 20 * time.Millisecond,
}

// remoteCloud is the registrar's cloud for a VPC behind TLS and a distance.
func remoteCloud(t *testing.T) (*cloud, *vpcsim.Sim) {
	t.Helper()
	topo, err := topology.Parse("world.yaml", []byte(twoWorkers))
	if err != nil {
		t.Fatal(err)
	}
	sim, err := vpcsim.Start(t.Context(), topo, vpcsim.Options{NoFabric: true, Remote: &faraway})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	none := filepath.Join(t.TempDir(), "none")
	for _, kv := range append(sim.Env("worker1"), "AWS_CONFIG_FILE="+none, "AWS_SHARED_CREDENTIALS_FILE="+none,
		"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_SESSION_TOKEN=") {
		k, v, _ := strings.Cut(kv, "=")
		t.Setenv(k, v)
	}
	c, err := newCloud(t.Context(), slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, sim
}

// failover claims one address of each family at once, and tells what that cost
// beside the calls, and how long it took.
func failover(t *testing.T, c *cloud, sim *vpcsim.Sim) (vpcsim.Preparations, time.Duration) {
	t.Helper()
	before, began := sim.Preparations(), time.Now()
	var both sync.WaitGroup
	for _, call := range []eniassign.Call{
		{Family: eniassign.IPv4, Addrs: []netip.Addr{netip.MustParseAddr("10.0.1.100")}},
		{Family: eniassign.IPv6, Addrs: []netip.Addr{netip.MustParseAddr("2001:db8:0:1::100")}},
	} {
		call.Verb, call.ENI = eniassign.Claim, topology.DeriveID("eni", "a1")
		both.Go(func() {
			for _, o := range c.Do(t.Context(), call) {
				if o.Reason != nil {
					t.Errorf("%v: %v", o.Addr, o.Reason)
				}
			}
		})
	}
	both.Wait()
	took, after := time.Since(began), sim.Preparations()
	return vpcsim.Preparations{
		Connections: after.Connections - before.Connections,
		Handshakes:  after.Handshakes - before.Handshakes,
		Credentials: after.Credentials - before.Credentials,
	}, took
}

// TestAWarmCallPaysForNothingButItself, whenever it comes: longer after the last
// call than EC2 keeps idle connections, than IMDS and STS's credentials last.
func TestAWarmCallPaysForNothingButItself(t *testing.T) {
	c, sim := remoteCloud(t)
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	floating := make(chan struct{})
	close(floating)
	done.Go(func() { c.keepWarm(ctx, time.Second, floating) })
	defer done.Wait()
	defer cancel()
	for _, wait := range []time.Duration{3500 * time.Millisecond, 0} {
		time.Sleep(wait)
		undisturbed(t, sim)
		sim.VPC.ResetCalls()
		cost, took := failover(t, c, sim)
		if cost != (vpcsim.Preparations{}) {
			t.Errorf("after %v the calls also cost %+v", wait, cost)
		}
		if n := len(sim.VPC.Calls()); n != 2 {
			t.Errorf("%d calls of EC2's, want 2", n)
		}
		t.Logf("after %v it took %v", wait, took)
	}
}

// TestTheRegionOfIMDSIsTakenOnce, so that what was looked up again later keeps its
// connections.
func TestTheRegionOfIMDSIsTakenOnce(t *testing.T) {
	_, sim := remoteCloud(t)
	t.Setenv("AWS_REGION", "")
	c, err := newCloud(t.Context(), slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	before := c.client.Load()
	var after []*eniassign.Client
	for range 2 {
		if _, err := c.Inventory(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		after = append(after, c.client.Load())
	}
	if after[0] == before || after[1] != after[0] {
		t.Errorf("clients %p, then %p and %p: want another one once", before, after[0], after[1])
	}
	if cost, _ := failover(t, c, sim); cost.Connections == 0 {
		t.Error("it has not called EC2")
	}
}

// An ec2WithoutENIs answers each question with none.
type ec2WithoutENIs struct{ eniassign.EC2 }

func (ec2WithoutENIs) DescribeNetworkInterfaces(context.Context, *ec2.DescribeNetworkInterfacesInput, ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error) {
	return &ec2.DescribeNetworkInterfacesOutput{}, nil
}

// TestAnIMDSThatIsNotThereIsToldOnce: an inventory is taken every few minutes then.
func TestAnIMDSThatIsNotThereIsToldOnce(t *testing.T) {
	var out bytes.Buffer
	c := &cloud{cfg: aws.Config{Region: "eu-central-1"}, log: slog.New(slog.NewTextHandler(&out, nil))}
	c.client.Store(&eniassign.Client{EC2: ec2WithoutENIs{}})
	for range 3 {
		if _, err := c.Inventory(t.Context(), []string{"02:00:00:00:00:0a"}); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(out.String(), "level=WARN"); n != 1 {
		t.Errorf("warned %d times of the same", n)
	}
}

// TestCredentialsAreNotWaitedForWithoutEnd: the SDK itself has no limit.
func TestCredentialsAreNotWaitedForWithoutEnd(t *testing.T) {
	c, _ := remoteCloud(t)
	client, ok := c.cfg.HTTPClient.(*awshttp.BuildableClient)
	if !ok || client.GetTimeout() != askTimeout {
		t.Errorf("the client of STS and of the Pod Identity agent is %+v", c.cfg.HTTPClient)
	}
}

// TestCredentialsThatEC2TakesForExpiredAreFetchedAnew, and the same call again is
// served.
func TestCredentialsThatEC2TakesForExpiredAreFetchedAnew(t *testing.T) {
	c, sim := remoteCloud(t)
	failover(t, c, sim)
	for _, code := range []string{"RequestExpired", "ExpiredToken"} {
		before := sim.Preparations().Credentials
		sim.VPC.Inject(model.Fault{Code: code, Count: 1})
		call := eniassign.Call{
			Verb: eniassign.Hold, Family: eniassign.IPv4, ENI: topology.DeriveID("eni", "a1"), Addrs: []netip.Addr{netip.MustParseAddr("10.0.1.101")},
		}
		if o := c.Do(t.Context(), call); len(o) != 1 || o[0].Reason == nil || o[0].Reason.Class != eniassign.Transient {
			t.Errorf("%s: %+v, want a reason to try again soon", code, o)
		}
		if o := c.Do(t.Context(), call); len(o) != 1 || o[0].Reason != nil {
			t.Errorf("after %s: %+v", code, o)
		}
		if n := sim.Preparations().Credentials - before; n != 1 {
			t.Errorf("after %s: credentials were fetched %d times, want once", code, n)
		}
	}
}

// undisturbed waits until credentials have been renewed and a ping has passed,
// so that neither falls into the call and is counted as its cost. A call that
// meets a ping may open a connection that it does not need.
func undisturbed(t *testing.T, sim *vpcsim.Sim) {
	t.Helper()
	until := func(what string, reached func(now, before vpcsim.Preparations) bool) {
		for before, began := sim.Preparations(), time.Now(); !reached(sim.Preparations(), before); time.Sleep(time.Millisecond) {
			if time.Since(began) > 10*time.Second {
				t.Fatalf("no %s in 10 s", what)
			}
		}
	}
	until("renewal", func(now, before vpcsim.Preparations) bool { return now.Credentials > before.Credentials })
	until("ping", func(now, before vpcsim.Preparations) bool { return now.Pings >= before.Pings+4 })
	time.Sleep(5 * faraway.RoundTrip)
}

// TestAColdCallPaysForEverything, or the test above would prove nothing.
func TestAColdCallPaysForEverything(t *testing.T) {
	c, sim := remoteCloud(t)
	failover(t, c, sim)
	time.Sleep(faraway.CredentialsLast + 500*time.Millisecond)
	cost, took := failover(t, c, sim)
	if cost.Credentials != 1 || cost.Connections < 2 || cost.Handshakes < 2 {
		t.Errorf("it cost %+v", cost)
	}
	// STS: TCP, TLS, the call and its work; then EC2: TCP, TLS, the call.
	if least := 6*faraway.RoundTrip + faraway.STSLatency; took < least {
		t.Errorf("it took %v, less than the %v of its round trips", took, least)
	}
}

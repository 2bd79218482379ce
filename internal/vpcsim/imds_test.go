// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vpcsim

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// token asks for a token and then, with it, for the instance's id.
func token(t *testing.T, c *http.Client, url string, within time.Duration) (instanceID string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	put, err := http.NewRequestWithContext(ctx, http.MethodPut, url+tokenPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	put.Header.Set("X-aws-ec2-metadata-token-ttl-seconds", "60")
	got, err := body(c, put)
	if err != nil {
		return "", err
	}
	get, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/latest/meta-data/instance-id", nil)
	if err != nil {
		t.Fatal(err)
	}
	get.Header.Set("X-aws-ec2-metadata-token", got)
	return body(c, get)
}

func body(c *http.Client, r *http.Request) (string, error) {
	res, err := c.Do(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", r.URL, res.Status)
	}
	return string(b), err
}

func TestIMDSIsReachedAsFarAsTheHopLimitAllows(t *testing.T) {
	s := start(t, Options{})
	for _, tc := range []struct {
		from      *netspace.Namespace
		worker    string
		hops      int
		reachable bool
	}{
		{s.Fabric.Worker("worker1").Namespace, "worker1", 1, true},
		{s.Fabric.Worker("worker1").Namespace, "worker1", 2, true},
		{s.Fabric.Pod("upf-active").Namespace, "worker1", 1, false},
		{s.Fabric.Pod("upf-active").Namespace, "worker1", 2, true},
		{s.Fabric.Worker("worker2").Namespace, "worker2", 1, true},
		{s.Fabric.Pod("client").Namespace, "worker2", 1, false},
		{s.Fabric.Pod("client").Namespace, "worker2", 2, true},
		{s.Fabric.Pod("upf-standby").Namespace, "worker2", 64, true},
	} {
		t.Run(fmt.Sprintf("%s with %d", tc.from.Name, tc.hops), func(t *testing.T) {
			s.VPC.TuneIMDS(tc.worker, func(i *model.IMDSState) { i.HopLimit = tc.hops })
			if err := connect(t, tc.from); err != nil {
				t.Errorf("connect: %v; the hop limit is no matter of connections", err)
			}
			within := map[bool]time.Duration{true: patience, false: time.Second}[tc.reachable]
			id, err := token(t, tc.from.Client(), s.IMDSURL(tc.worker), within)
			if (err == nil) != tc.reachable {
				t.Errorf("token: %v, want reachable %v", err, tc.reachable)
			}
			if want := topology.DeriveID("i", tc.worker); tc.reachable && id != want {
				t.Errorf("instance-id = %q, want %s's %s", id, tc.worker, want)
			}
		})
	}
}

func TestABlockedIMDSTakesNoConnection(t *testing.T) {
	s := start(t, Options{})
	blocked, other := s.Fabric.Pod("upf-active").Namespace, s.Fabric.Pod("client").Namespace
	for range 2 {
		s.VPC.TuneIMDS("worker1", func(i *model.IMDSState) { i.Blocked = true })
		for _, ns := range []*netspace.Namespace{blocked, s.Fabric.Worker("worker1").Namespace} {
			within := time.Now().Add(patience) // the network follows a little later
			for connect(t, ns) == nil {
				if time.Now().After(within) {
					t.Fatalf("%s connects to a blocked IMDS", ns.Name)
				}
			}
		}
		if err := connect(t, other); err != nil {
			t.Errorf("the other worker's pod: %v", err)
		}
		s.VPC.TuneIMDS("worker1", func(i *model.IMDSState) { i.Blocked = false })
		within := time.Now().Add(patience)
		for connect(t, blocked) != nil && time.Now().Before(within) {
		}
		if _, err := token(t, blocked.Client(), s.IMDSURL("worker1"), patience); err != nil {
			t.Errorf("after the block: %v", err)
		}
	}
}

func connect(t *testing.T, from *netspace.Namespace) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	c, err := from.Dial(ctx, "tcp4", topology.IMDSAddress.String())
	if err == nil {
		err = c.Close()
	}
	return err
}

// addFloating gives a pod's net1 an address and answers echoes on it.
func addFloating(t *testing.T, s *Sim, pod, address string) {
	t.Helper()
	a := netip.MustParseAddr(address)
	p := s.Fabric.Pod(pod)
	if err := p.AddAddress("net1", netip.PrefixFrom(a, a.BitLen())); err != nil {
		t.Fatal(err)
	}
	echo(t, p.Namespace, address)
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vpcsim

import (
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

func TestPodsReachEachOtherOnceEC2HasAssignedTheirAddresses(t *testing.T) {
	s := start(t, Options{})
	active, client := s.Fabric.Pod("upf-active").Namespace, s.Fabric.Pod("client").Namespace
	for _, ip := range []struct{ server, client string }{
		{"10.0.2.100", "10.0.2.110"}, {"2001:db8:0:2::100", "2001:db8:0:2::110"},
	} {
		echo(t, active, ip.server)
		if reaches(t, client, ip.server, silence) {
			t.Errorf("%s answers before anything is assigned", ip.server)
		}
		assign(t, s, "w2-media", ip.client)
		if reaches(t, client, ip.server, silence) {
			t.Errorf("%s answers before it is assigned", ip.server)
		}
		assign(t, s, "w1-media", ip.server)
		if !reaches(t, client, ip.server, patience) {
			t.Errorf("%s is assigned and does not answer; drops: %+v", ip.server, s.Fabric.Counters("w2-media").Drops)
		}
	}
}

func TestFloatingAddressFollowsAfterTheRemapDelay(t *testing.T) {
	s := start(t, Options{})
	client := s.Fabric.Pod("client").Namespace
	assign(t, s, "w2-media", "10.0.2.110", "2001:db8:0:2::110")
	for _, fip := range []string{"10.0.1.200", "2001:db8:0:1::200"} {
		assign(t, s, "w1-sig", fip)
		addFloating(t, s, "upf-active", fip)
		if !reaches(t, client, fip, patience) {
			t.Fatalf("%s does not answer from upf-active", fip)
		}
		const delay = 300 * time.Millisecond
		s.VPC.Tune(func(e *topology.EC2) { e.RemapDelay = delay })
		began := time.Now()
		assign(t, s, "w2-sig", fip)
		before := s.Fabric.Counters("w2-sig").Delivered
		if !reaches(t, client, fip, delay/2) {
			t.Errorf("%s does not answer from upf-active during the remap delay", fip)
		}
		if after := s.Fabric.Counters("w2-sig").Delivered; after != before {
			t.Errorf("w2-sig had packets for %s during the remap delay", fip)
		}
		addFloating(t, s, "upf-standby", fip)
		time.Sleep(time.Until(began.Add(delay)))
		if !reaches(t, client, fip, patience) {
			t.Errorf("%s does not answer from upf-standby", fip)
		}
		if after := s.Fabric.Counters("w2-sig").Delivered; after == before {
			t.Errorf("%s answers, and not from w2-sig", fip)
		}
		s.VPC.Tune(func(e *topology.EC2) { e.RemapDelay = 0 })
	}
}

func TestEC2AnswersInPodsOnWorkersAndOnTheSocket(t *testing.T) {
	s := start(t, Options{})
	clients := map[string]*http.Client{
		"upf-active": s.Fabric.Pod("upf-active").Client(),
		"worker2":    s.Fabric.Worker("worker2").Client(),
		"aws":        s.Fabric.AWS().Client(),
	}
	for who, c := range clients {
		res, err := c.Get(s.EC2URL + "/_vpcsim/calls")
		if err != nil {
			t.Errorf("from %s: %v", who, err)
			continue
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("from %s: %s", who, res.Status)
		}
	}
	env := s.Env("upf-active")
	for _, want := range []string{"AWS_REGION=eu-central-1", "AWS_ENDPOINT_URL_EC2=http://192.0.2.10:80"} {
		if !slices.Contains(env, want) {
			t.Errorf("Env = %q, want %s", env, want)
		}
	}
	for _, e := range env {
		if strings.HasPrefix(e, "AWS_EC2_METADATA") {
			t.Errorf("Env has %s although IMDS is where SDKs look for it", e)
		}
	}
}

func TestWithoutFabricEverythingIsOnLoopback(t *testing.T) {
	s := start(t, Options{NoFabric: true, InstanceRole: true})
	want := []string{
		"AWS_REGION=eu-central-1", "AWS_ENDPOINT_URL_EC2=" + s.EC2URL,
		"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + s.IMDSURL("worker2"),
	}
	if got := s.Env("client"); !slices.Equal(got, want) {
		t.Errorf("Env = %q, want %q", got, want)
	}
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if _, err := token(t, c, s.IMDSURL("worker2"), time.Second); err != nil {
		t.Error(err)
	}
}

func TestAFaultyTopologyStartsNothing(t *testing.T) {
	if _, err := Start(t.Context(), topology.Topology{}, Options{}); len(topology.Faults(err)) == 0 {
		t.Errorf("Start of an empty topology: %v, want its faults", err)
	}
	if _, err := os.Stat(netspace.StateDir + "/" + fabric.DefaultPrefix); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("state directory: %v, want none", err)
	}
}

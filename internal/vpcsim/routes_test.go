// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vpcsim

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/vswitch"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// floating are addresses outside of the VPC's blocks.
var floating = []string{"198.51.100.10", "2001:db8:f::10"}

// startZones runs the example with a worker in each of two zones; both upf pods
// have the floating addresses.
func startZones(t *testing.T) *Sim {
	t.Helper()
	s := startFile(t, "../../examples/vpcsim/two-zones.yaml", Options{})
	assign(t, s, "a-client", "10.0.1.110", "2001:db8:0:1::110")
	assign(t, s, "b-client", "10.0.5.110", "2001:db8:0:5::110")
	for _, pod := range []string{"upf-a", "upf-b"} {
		for _, f := range floating {
			addFloating(t, s, pod, f)
		}
	}
	return s
}

// lead makes or replaces the route to an address in one route table.
func lead(t *testing.T, s *Sim, table, address, eni string) {
	t.Helper()
	e, ok := s.VPC.ENI(eni)
	if !ok {
		t.Fatalf("there is no ENI %s", eni)
	}
	a := netip.MustParseAddr(address)
	in := model.RouteInput{RouteTableID: topology.DeriveID("rtb", table), Destination: netip.PrefixFrom(a, a.BitLen()), NetworkInterfaceID: e.ID}
	change := s.VPC.CreateRoute
	if s.VPC.RoutedTo(table, a) != "" {
		change = s.VPC.ReplaceRoute
	}
	if err := change(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// TestEachSubnetFollowsItsRouteTable: client-a's packets go by the main route
// table, client-b's by that of zone b, whatever the zone of the ENI is that the
// route leads to.
func TestEachSubnetFollowsItsRouteTable(t *testing.T) {
	s := startZones(t)
	clients := map[string]string{"main": "client-a", "zone-b": "client-b"}
	for _, f := range floating {
		for table, client := range clients {
			for _, eni := range []string{"b-core", "a-core", "b-core"} {
				lead(t, s, table, f, eni)
				before := s.Fabric.Counters(eni).Delivered
				if !reaches(t, s.Fabric.Pod(client).Namespace, f, patience) {
					t.Errorf("%s has no answer from %s, which %s leads to %s", client, f, table, eni)
				}
				if s.Fabric.Counters(eni).Delivered == before {
					t.Errorf("%s answers %s, and not from %s", f, client, eni)
				}
			}
		}
		// The tables are independent of each other.
		lead(t, s, "main", f, "a-core")
		before := s.Fabric.Counters("a-core").Delivered
		if !reaches(t, s.Fabric.Pod("client-b").Namespace, f, patience) || s.Fabric.Counters("a-core").Delivered != before {
			t.Errorf("client-b's packets to %s follow the route table of another zone", f)
		}
	}
}

// TestRoutesThatLeadNowhereAreCounted: at the sender, each with its cause.
func TestRoutesThatLeadNowhereAreCounted(t *testing.T) {
	s := startZones(t)
	client := s.Fabric.Pod("client-a").Namespace
	dropped := func(what string, why vswitch.Reason) {
		t.Helper()
		for _, f := range floating {
			before := dropsTo(s, "a-client", why, f)
			if reaches(t, client, f, silence) {
				t.Errorf("%s answers: %s", f, what)
			}
			if dropsTo(s, "a-client", why, f) == before {
				t.Errorf("%s: no packet to %s was dropped as %s: %+v", what, f, why, s.Fabric.Counters("a-client").Drops)
			}
		}
	}
	route := func(eni string) {
		for _, f := range floating {
			lead(t, s, "main", f, eni)
		}
	}
	check := func(eni string, on bool) {
		e, _ := s.VPC.ENI(eni)
		if err := s.VPC.SetSourceDestCheck(t.Context(), e.ID, on, false); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range floating {
		lead(t, s, "zone-b", f, "b-core")
	}
	dropped("there is a route in another table only", vswitch.NoRoute)
	route("b-core")
	check("b-core", true)
	dropped("the ENI's source/destination check is on", vswitch.DestCheck)
	check("b-core", false)
	for _, f := range floating {
		if !reaches(t, client, f, patience) {
			t.Errorf("%s does not answer once the check is off", f)
		}
	}
	if err := s.Fabric.Worker("worker-b").Remove(); err != nil {
		t.Fatal(err)
	}
	dropped("the worker has lost its power", vswitch.Unplugged)
	s.VPC.DeleteENI("b-core")
	dropped("the ENI is deleted", vswitch.Blackhole)
	route("a-core")
	for _, f := range floating {
		if !reaches(t, client, f, patience) {
			t.Errorf("%s does not answer once the route leads to another ENI", f)
		}
	}
}

// TestTheCheckDropsWhatAnENISendsFromAFloatingAddress: an answer would not
// leave, even if the question came.
func TestTheCheckDropsWhatAnENISendsFromAFloatingAddress(t *testing.T) {
	s := startZones(t)
	e, _ := s.VPC.ENI("a-core")
	if err := s.VPC.SetSourceDestCheck(t.Context(), e.ID, true, false); err != nil {
		t.Fatal(err)
	}
	for _, f := range floating {
		a := netip.MustParseAddr(f)
		c, err := s.Fabric.Pod("upf-a").ListenPacket(t.Context(), "udp", netip.AddrPortFrom(a, 0).String())
		if err != nil {
			t.Fatal(err)
		}
		to := map[bool]string{false: "10.0.5.110", true: "2001:db8:0:5::110"}[a.Is6()]
		who := net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(to), 7))
		seen := false
		for end := time.Now().Add(patience); !seen && time.Now().Before(end); time.Sleep(time.Millisecond) {
			if _, err := c.WriteTo([]byte("?"), who); err != nil {
				t.Fatal(err)
			}
			seen = slices.ContainsFunc(s.Fabric.Counters("a-core").Drops, func(d vswitch.Drop) bool {
				return d.Reason == vswitch.SourceCheck && d.Src == a
			})
		}
		_ = c.Close()
		if !seen {
			t.Errorf("no packet from %s was dropped: %+v", f, s.Fabric.Counters("a-core").Drops)
		}
	}
}

// dropsTo counts what an ENI sent to an address and was dropped for a reason.
func dropsTo(s *Sim, eni string, why vswitch.Reason, address string) (n uint64) {
	for _, d := range s.Fabric.Counters(eni).Drops {
		if d.Reason == why && d.Dst.String() == address {
			n += d.Count
		}
	}
	return n
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vpcsim

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// start runs the example that users start with.
func start(t *testing.T, opts Options) *Sim {
	t.Helper()
	return startFile(t, "../../examples/vpcsim/two-workers.yaml", opts)
}

func startFile(t *testing.T, path string, opts Options) *Sim {
	t.Helper()
	topo, err := topology.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	topo.EC2 = topology.EC2{Address: topo.EC2.Address} // as fast as can be
	s, err := Start(t.Context(), topo, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// assign does what a registrar would: IPv4 with reassignment, IPv6 after an
// unassign at the owner.
func assign(t *testing.T, s *Sim, eni string, addrs ...string) {
	t.Helper()
	e, ok := s.VPC.ENI(eni)
	if !ok {
		t.Fatalf("there is no ENI %s", eni)
	}
	for _, text := range addrs {
		a := netip.MustParseAddr(text)
		var err error
		if a.Is4() {
			_, err = s.VPC.AssignPrivateIPAddresses(t.Context(), model.AssignPrivateIPAddressesInput{
				NetworkInterfaceID: e.ID, Addresses: []netip.Addr{a}, AllowReassignment: true,
			})
		} else {
			if owner, ok := s.VPC.Owner(a); ok {
				_, err = s.VPC.UnassignIPv6Addresses(t.Context(), model.UnassignIPv6AddressesInput{
					NetworkInterfaceID: owner.ID, Addresses: []netip.Addr{a},
				})
			}
			if err == nil {
				_, err = s.VPC.AssignIPv6Addresses(t.Context(), model.AssignIPv6AddressesInput{
					NetworkInterfaceID: e.ID, Addresses: []netip.Addr{a},
				})
			}
		}
		if err != nil {
			t.Fatalf("assign %s to %s: %v", a, eni, err)
		}
	}
}

// echo serves UDP echoes on an address of a namespace until the test ends.
func echo(t *testing.T, ns *netspace.Namespace, address string) {
	t.Helper()
	c, err := ns.ListenPacket(t.Context(), "udp", netip.AddrPortFrom(netip.MustParseAddr(address), 7).String())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, who, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(buf[:n], who)
		}
	}()
	t.Cleanup(func() {
		_ = c.Close()
		<-done
	})
}

// reaches says whether an echo comes back, and asks again until the time is up.
func reaches(t *testing.T, from *netspace.Namespace, address string, within time.Duration) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	c, err := from.Dial(ctx, "udp", netip.AddrPortFrom(netip.MustParseAddr(address), 7).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	buf := make([]byte, 16)
	for ctx.Err() == nil {
		_, _ = c.Write([]byte("?"))
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if _, err := c.Read(buf); err == nil {
			return true
		}
	}
	return false
}

const (
	patience = 5 * time.Second
	silence  = 200 * time.Millisecond
)

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vswitch

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

func TestARPIsAnsweredForWhatIsMapped(t *testing.T) {
	for _, tc := range []struct {
		name, sender, target string
		opts                 Options
		want                 *MAC
	}{
		{name: "another ENI's", sender: "10.0.1.10", target: "10.0.1.11", want: &macB},
		{name: "even from an address that is not mapped yet", sender: "10.0.1.99", target: "10.0.1.11", want: &macB},
		{name: "a sibling's", sender: "10.0.1.99", target: "10.0.1.10", want: &macA},
		{name: "the router's", sender: "10.0.1.10", target: "10.0.1.1", want: &macRouter},
		{name: "nobody's", sender: "10.0.1.10", target: "10.0.1.99"},
		{name: "gratuitous", sender: "10.0.1.11", target: "10.0.1.11"},
		{name: "probe for its own", sender: "0.0.0.0", target: "10.0.1.10", opts: Options{AnswerDAD: true}},
		{name: "probe for another's", sender: "0.0.0.0", target: "10.0.1.11"},
		{name: "probe for another's, answered", sender: "0.0.0.0", target: "10.0.1.11", opts: Options{AnswerDAD: true}, want: &macB},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, a, _, _ := world(t, tc.opts)
			a.send(arp(macA, tc.sender, tc.target))
			if tc.want == nil {
				a.wantNothing(t)
				return
			}
			got := decode(t, a.received(t)).Layer(layers.LayerTypeARP).(*layers.ARP)
			got.BaseLayer = layers.BaseLayer{}
			want := &layers.ARP{
				AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4,
				Operation: layers.ARPReply, SourceHwAddress: tc.want[:], SourceProtAddress: addr(tc.target).AsSlice(),
				DstHwAddress: macA[:], DstProtAddress: addr(tc.sender).AsSlice(),
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("reply (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSolicitationsAreAnsweredForWhatIsMapped(t *testing.T) {
	for _, tc := range []struct {
		name, sender, target string
		opts                 Options
		want                 *MAC
		flags                uint8
		to                   string
	}{
		{name: "another ENI's", sender: "2001:db8::a", target: "2001:db8::b", want: &macB, flags: 0x60, to: "2001:db8::a"},
		{name: "from link-local", sender: "fe80::a", target: "2001:db8::c", want: &macC, flags: 0x60, to: "fe80::a"},
		{name: "the router's", sender: "fe80::a", target: "fe80:ec2::1", want: &macRouter, flags: 0xe0, to: "fe80::a"},
		{name: "nobody's", sender: "2001:db8::a", target: "2001:db8::99"},
		{name: "somebody's link-local", sender: "fe80::a", target: "fe80::b"},
		{name: "DAD for its own", sender: "::", target: "2001:db8::a", opts: Options{AnswerDAD: true}},
		{name: "DAD for another's", sender: "::", target: "2001:db8::b"},
		{
			name: "DAD for another's, answered", sender: "::", target: "2001:db8::b", opts: Options{AnswerDAD: true},
			want: &macB, flags: 0x20, to: "ff02::1",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, a, _, _ := world(t, tc.opts)
			a.send(solicitation(macA, tc.sender, tc.target))
			if tc.want == nil {
				a.wantNothing(t)
				return
			}
			f := a.received(t)
			p := decode(t, f)
			ip := p.Layer(layers.LayerTypeIPv6).(*layers.IPv6)
			na := p.Layer(layers.LayerTypeICMPv6NeighborAdvertisement).(*layers.ICMPv6NeighborAdvertisement)
			want := []any{tc.target, tc.to, uint8(255), tc.flags, tc.target, tc.want[:]}
			got := []any{ip.SrcIP.String(), ip.DstIP.String(), ip.HopLimit, na.Flags, na.TargetAddress.String(), na.Options[0].Data}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("src, dst, hop limit, flags, target, MAC (-want +got):\n%s", diff)
			}
			if bad := checksumICMPv6(f.payload()); bad != 0 {
				t.Errorf("checksum is off by %#x", bad)
			}
		})
	}
}

func decode(t *testing.T, f frame) gopacket.Packet {
	t.Helper()
	p := gopacket.NewPacket(f, layers.LayerTypeEthernet, gopacket.Default)
	if p.ErrorLayer() != nil {
		t.Fatal(p.ErrorLayer().Error())
	}
	return p
}

func FuzzHandle(f *testing.F) {
	f.Add([]byte(arp(macA, "10.0.1.10", "10.0.1.11")))
	f.Add([]byte(solicitation(macA, "::", "2001:db8::b")))
	f.Add([]byte(ipv4(macB, macA, "10.0.1.10", "10.0.1.11")))
	s := New(table{netip.Addr{}: "a"}, Options{AnswerDAD: true})
	e := &eni{ENI: ENI{ID: "a", MAC: macA}, counters: newCounters()}
	s.enis["a"] = e
	f.Fuzz(func(_ *testing.T, b []byte) {
		if len(b) < ethernetLen {
			return
		}
		w := newWire()
		for _, role := range []Role{Master, Slave} {
			s.handle(&port{Port: w, eni: e, role: role}, frame(b))
		}
	})
}

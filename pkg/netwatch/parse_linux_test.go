// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

var equateInternals = cmp.Options{
	cmp.AllowUnexported(foundAddress{}),
	cmpopts.EquateComparable(netip.Prefix{}),
}

func attribute(kind int, value ...byte) *nl.RtAttr { return nl.NewRtAttr(kind, value) }

// message is a header with attributes as the kernel lays them out.
func message(header nl.NetlinkRequestData, attributes ...*nl.RtAttr) []byte {
	data := header.Serialize()
	for _, a := range attributes {
		data = append(data, a.Serialize()...)
	}
	return data
}

func addressHeader(family, prefixLength, flags uint8) *nl.IfAddrmsg {
	return &nl.IfAddrmsg{IfAddrmsg: unix.IfAddrmsg{Family: family, Prefixlen: prefixLength, Flags: flags, Index: 7}}
}

func ip(text string) []byte { return netip.MustParseAddr(text).AsSlice() }

func TestParseAddress(t *testing.T) {
	for _, c := range []struct {
		name    string
		payload []byte
		want    foundAddress
	}{
		{"IPv4", message(addressHeader(unix.AF_INET, 24, 0),
			attribute(unix.IFA_ADDRESS, ip("10.0.0.1")...), attribute(unix.IFA_LOCAL, ip("10.0.0.1")...),
			attribute(unix.IFA_LABEL, []byte("net1\x00")...)),
			foundAddress{7, netip.MustParsePrefix("10.0.0.1/24"), 0}},
		{"IPv4 with a peer", message(addressHeader(unix.AF_INET, 24, 0),
			attribute(unix.IFA_ADDRESS, ip("10.0.0.2")...), attribute(unix.IFA_LOCAL, ip("10.0.0.1")...)),
			foundAddress{7, netip.MustParsePrefix("10.0.0.1/32"), 0}},
		{"IPv6 has no local address", message(addressHeader(unix.AF_INET6, 64, 0),
			attribute(unix.IFA_ADDRESS, ip("2001:db8::1")...)),
			foundAddress{7, netip.MustParsePrefix("2001:db8::1/64"), 0}},
		{"IPv6 with a peer", message(addressHeader(unix.AF_INET6, 64, 0),
			attribute(unix.IFA_LOCAL, ip("2001:db8::1")...), attribute(unix.IFA_ADDRESS, ip("2001:db8::2")...)),
			foundAddress{7, netip.MustParsePrefix("2001:db8::1/128"), 0}},
		{"flags of the header", message(addressHeader(unix.AF_INET6, 64, unix.IFA_F_TENTATIVE),
			attribute(unix.IFA_ADDRESS, ip("2001:db8::1")...)),
			foundAddress{7, netip.MustParsePrefix("2001:db8::1/64"), unix.IFA_F_TENTATIVE}},
		{"wide flags", message(addressHeader(unix.AF_INET6, 64, unix.IFA_F_PERMANENT),
			attribute(unix.IFA_ADDRESS, ip("2001:db8::1")...),
			attribute(unix.IFA_FLAGS, nl.Uint32Attr(unix.IFA_F_NOPREFIXROUTE|unix.IFA_F_DADFAILED)...)),
			foundAddress{7, netip.MustParsePrefix("2001:db8::1/64"), unix.IFA_F_NOPREFIXROUTE | unix.IFA_F_DADFAILED}},
		{"another family", message(addressHeader(unix.AF_PHONET, 0, 0), attribute(unix.IFA_LOCAL, 4)),
			foundAddress{index: 7}},
		{"no address at all", message(addressHeader(unix.AF_INET, 24, 0)), foundAddress{index: 7}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseAddress(c.payload)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, equateInternals); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func linkHeader(flags uint32) *nl.IfInfomsg {
	return &nl.IfInfomsg{IfInfomsg: unix.IfInfomsg{Index: 7, Flags: flags}}
}

func TestParseLink(t *testing.T) {
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(unix.IFLA_INFO_KIND, []byte("ipvlan\x00"))
	info.AddRtAttr(unix.IFLA_INFO_DATA, []byte{1, 2, 3})
	nested := nl.NewRtAttr(unix.IFLA_LINKINFO|unix.NLA_F_NESTED, nil)
	nested.AddRtAttr(unix.IFLA_INFO_KIND, []byte("tun\x00"))
	name := attribute(unix.IFLA_IFNAME, []byte("net1\x00")...)
	for _, c := range []struct {
		name    string
		payload []byte
		want    Interface
	}{
		{"ipvlan", message(linkHeader(unix.IFF_UP), name, attribute(unix.IFLA_ADDRESS, 2, 0, 0, 0, 0xab, 1), info),
			Interface{Index: 7, Name: "net1", MAC: "02:00:00:00:ab:01", Kind: "ipvlan", Up: true}},
		{"kind with the flag of nesting", message(linkHeader(0), name, nested), Interface{Index: 7, Name: "net1", Kind: "tun"}},
		{"loopback", message(linkHeader(unix.IFF_UP|unix.IFF_LOOPBACK), name, attribute(unix.IFLA_ADDRESS, make([]byte, 6)...)),
			Interface{Index: 7, Name: "net1", Loopback: true, Up: true}},
		{"physical device", message(linkHeader(0), name), Interface{Index: 7, Name: "net1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseLink(c.payload)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, equateInternals); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A message that is cut anywhere gives an error or less, never a panic.
func FuzzParse(f *testing.F) {
	f.Add(message(linkHeader(0), attribute(unix.IFLA_IFNAME, []byte("net1\x00")...)))
	f.Add(message(addressHeader(unix.AF_INET, 24, 0), attribute(unix.IFA_LOCAL, ip("10.0.0.1")...)))
	f.Add(message(linkHeader(0), attribute(unix.IFLA_LINKINFO, 3, 0)))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, payload []byte) {
		if found, err := parseAddress(payload); err != nil && found != (foundAddress{}) {
			t.Errorf("an error (%v) and the address %v", err, found)
		}
		if link, err := parseLink(payload); err != nil && !link.Equal(Interface{}) {
			t.Errorf("an error (%v) and the link %v", err, link)
		}
	})
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	ours := map[string]string{NoManageTag: "true"}
	eth0 := ENI{ID: "eni-0", MAC: "02:00:00:00:00:00", DeviceIndex: 0, CIDRs: prefixes("10.0.0.0/24 2001:db8::/64")}
	n2 := ENI{ID: "eni-2", MAC: "02:00:00:00:00:02", DeviceIndex: 1, CIDRs: prefixes("10.0.2.0/24")}
	n3 := ENI{ID: "eni-3", MAC: "02:00:00:00:00:03", DeviceIndex: 2, CIDRs: prefixes("10.0.3.0/24 2001:db8:3::/64"), Tags: ours}
	wide := ENI{ID: "eni-4", MAC: "02:00:00:00:00:04", DeviceIndex: 3, CIDRs: prefixes("10.0.0.0/16")}
	twin := ENI{ID: "eni-5", MAC: "02:00:00:00:00:05", DeviceIndex: 4, CIDRs: prefixes("10.0.3.0/24")}
	managed := ENI{ID: "eni-6", MAC: "02:00:00:00:00:06", DeviceIndex: 5, CIDRs: prefixes("10.0.3.0/24"), Tags: map[string]string{NoManageTag: "false"}}
	loose := ENI{ID: "eni-7", MAC: "02:00:00:00:00:07", DeviceIndex: -1}

	tests := map[string]struct {
		mac, addr string
		enis      []ENI
		policy    Policy
		want      string // the ENI's ID, or the reason's code
	}{
		"by MAC":                            {mac: n3.MAC, addr: "10.0.3.7", enis: []ENI{n2, n3, twin}, want: "eni-3"},
		"by MAC in upper case":              {mac: "02:00:00:00:00:03", addr: "10.0.3.7", enis: []ENI{n3}, want: "eni-3"},
		"by MAC though outside":             {mac: n2.MAC, addr: "10.0.3.7", enis: []ENI{n2, n3}, want: "eni-2"},
		"by MAC, attachment unknown":        {mac: loose.MAC, addr: "10.0.3.7", enis: []ENI{loose}, want: "eni-7"},
		"by MAC, primary ENI":               {mac: eth0.MAC, addr: "10.0.0.7", enis: []ENI{eth0, n2}, want: "ENIRefusedPrimary"},
		"by MAC, primary ENI allowed":       {mac: eth0.MAC, addr: "10.0.0.7", enis: []ENI{eth0}, policy: Policy{AllowPrimaryENI: true}, want: "eni-0"},
		"by MAC, managed ENI":               {mac: managed.MAC, addr: "10.0.3.7", enis: []ENI{managed, n3}, want: "ENIRefusedManaged"},
		"by MAC, managed ENI allowed":       {mac: managed.MAC, addr: "10.0.3.7", enis: []ENI{managed}, policy: Policy{AllowManagedENI: true}, want: "eni-6"},
		"by subnet":                         {mac: "aa:bb:cc:dd:ee:ff", addr: "10.0.3.7", enis: []ENI{n2, n3}, want: "eni-3"},
		"by subnet, IPv6":                   {addr: "2001:db8:3::7", enis: []ENI{n2, n3}, want: "eni-3"},
		"by subnet, mapped":                 {addr: "::ffff:10.0.3.7", enis: []ENI{n2, n3}, want: "eni-3"},
		"by the longest block":              {addr: "10.0.3.7", enis: []ENI{wide, n3}, want: "eni-3"},
		"by subnet, two of them":            {addr: "10.0.3.7", enis: []ENI{n3, twin, wide}, want: "AmbiguousENI"},
		"by subnet, the other one managed":  {addr: "10.0.3.7", enis: []ENI{managed, n3}, want: "eni-3"},
		"by subnet, managed one allowed":    {addr: "10.0.3.7", enis: []ENI{managed, n3}, policy: Policy{AllowManagedENI: true}, want: "AmbiguousENI"},
		"by subnet, only a managed one":     {addr: "10.0.3.7", enis: []ENI{managed, n2}, want: "ENIRefusedManaged"},
		"by subnet, only the primary ENI":   {addr: "10.0.0.7", enis: []ENI{eth0, n2}, want: "ENIRefusedPrimary"},
		"by subnet, a wider one is allowed": {addr: "10.0.0.7", enis: []ENI{eth0, wide}, want: "eni-4"},
		"no subnet":                         {addr: "192.168.0.1", enis: []ENI{eth0, n2, n3}, want: "NoENI"},
		"no ENI":                            {addr: "192.168.0.1", want: "NoENI"},
		"no address":                        {enis: []ENI{n2}, want: "NoENI"},
		"the same ENI twice":                {addr: "10.0.2.7", enis: []ENI{n2, n2}, want: "eni-2"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var a netip.Addr
			if tt.addr != "" {
				a = addr(tt.addr)
			}
			eni, err := Match(tt.mac, a, tt.enis, tt.policy)
			got := eni.ID
			var why interface{ Reason() *Reason }
			if errors.As(err, &why) {
				got = string(why.Reason().Code)
				if why.Reason().Cure == "" || why.Reason().Class != Permanent {
					t.Errorf("reason %+v", why.Reason())
				}
			}
			if got != tt.want {
				t.Errorf("got %s (%v), want %s", got, err, tt.want)
			}
			if err != nil {
				t.Log(err)
			}
		})
	}
}

func TestMatchErrorsName(t *testing.T) {
	a := ENI{ID: "eni-a", MAC: "02:00:00:00:00:0a", DeviceIndex: 1, CIDRs: prefixes("10.0.3.0/24")}
	b := ENI{ID: "eni-b", MAC: "02:00:00:00:00:0b", DeviceIndex: 2, CIDRs: prefixes("10.0.3.0/24")}
	_, ambiguous := Match("02:ff:00:00:00:00", addr("10.0.3.7"), []ENI{b, a}, Policy{})
	_, none := Match("02:ff:00:00:00:00", addr("10.9.9.9"), []ENI{b, a}, Policy{})
	for _, want := range []string{"eni-a", "eni-b"} {
		for _, err := range []error{ambiguous, none} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not in: %v", want, err)
			}
		}
	}
	own := &NoENIError{MAC: "02:ff:00:00:00:00", Addr: addr("10.0.3.7"), ENIs: []ENI{b, a}, Own: true}
	if why := own.Reason(); !strings.Contains(why.Cure, "master") || strings.Contains(why.Cure, "subnet") {
		t.Errorf("where the MAC decides it is not the subnet that cures: %v", why)
	}
	for _, want := range []string{"02:ff:00:00:00:00", "10.9.9.9", "10.0.3.0/24"} {
		if !strings.Contains(none.Error(), want) {
			t.Errorf("%q is not in: %v", want, none)
		}
	}
}

func TestCheckAddress(t *testing.T) {
	e := ENI{ID: "eni-a", CIDRs: prefixes("10.0.1.0/24 2001:db8::/64")}
	tests := map[string]Code{
		"10.0.1.4": "", "10.0.1.254": "", "2001:db8::4": "", "::ffff:10.0.1.9": "",
		"10.0.1.0": AddressReserved, "10.0.1.1": AddressReserved, "10.0.1.3": AddressReserved, "10.0.1.255": AddressReserved,
		"2001:db8::": AddressReserved, "2001:db8::3": AddressReserved, "2001:db8::ffff:ffff:ffff:ffff": AddressReserved,
		"10.0.2.5": AddressOutsideSubnet, "2001:db8:1::5": AddressOutsideSubnet,
	}
	for a, want := range tests {
		var got Code
		if why := CheckAddress(addr(a), e); why != nil {
			got = why.Code
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", a, got, want)
		}
	}
	for _, blocks := range []string{"", "2001:db8::/64"} {
		if why := CheckAddress(addr("10.0.2.5"), ENI{ID: "eni-a", CIDRs: prefixes(blocks)}); why != nil {
			t.Errorf("unknown blocks refuse nothing, got %v", why)
		}
	}
	if why := CheckAddress(addr("255.255.255.255"), ENI{CIDRs: prefixes("0.0.0.0/0")}); why == nil {
		t.Error("the last address of all is the last of its block")
	}
}

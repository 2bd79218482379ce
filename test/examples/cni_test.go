// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The fields of CNI configurations that the examples use; others are errors, so
// that a typing fault does not pass for a setting.
// Source: containernetworking/plugins ipvlan, host-local, static, sbr;
// k8snetworkplumbingwg/whereabouts, doc/extended-configuration.md.
type (
	cniList struct {
		CNIVersion string      `json:"cniVersion"`
		Name       string      `json:"name"`
		Plugins    []cniPlugin `json:"plugins"`
	}
	cniPlugin struct {
		Type         string          `json:"type"`
		Mode         string          `json:"mode"`
		Master       string          `json:"master"`
		Capabilities map[string]bool `json:"capabilities"`
		IPAM         *cniIPAM        `json:"ipam"`
	}
	cniIPAM struct {
		Type string `json:"type"`
		whereaboutsRange
		Gateway  string             `json:"gateway"`
		IPRanges []whereaboutsRange `json:"ipRanges"`
		Ranges   [][]hostLocalRange `json:"ranges"`
	}
	whereaboutsRange struct {
		Range      string `json:"range"`
		RangeStart string `json:"range_start"`
		RangeEnd   string `json:"range_end"`
	}
	hostLocalRange struct {
		Subnet     string `json:"subnet"`
		RangeStart string `json:"rangeStart"`
		RangeEnd   string `json:"rangeEnd"`
		Gateway    string `json:"gateway"`
	}
)

// A span is the addresses that one network may hand out.
type span struct {
	network     string
	subnet      string
	first, last string
	gateway     string
}

func (i *cniIPAM) spans(network string) []span {
	var out []span
	if i.Range != "" {
		out = append(out, span{network, i.Range, i.RangeStart, i.RangeEnd, i.Gateway})
	}
	for _, r := range i.IPRanges {
		out = append(out, span{network, r.Range, r.RangeStart, r.RangeEnd, ""})
	}
	for _, set := range i.Ranges {
		for _, r := range set {
			out = append(out, span{network, r.Subnet, r.RangeStart, r.RangeEnd, r.Gateway})
		}
	}
	return out
}

// configurations are the CNI configurations of the networks, strictly parsed.
func configurations(t *testing.T) map[string]cniList {
	t.Helper()
	out := map[string]cniList{}
	for name, nad := range networks(t) {
		var list cniList
		d := json.NewDecoder(bytes.NewReader([]byte(nad.Spec.Config)))
		d.DisallowUnknownFields()
		if err := d.Decode(&list); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = list
	}
	return out
}

// TestNetworks: ipvlan in mode l2 on an ENI, with one of three IPAM plugins; sbr
// comes last, and has its gateway.
func TestNetworks(t *testing.T) {
	var seen []string
	for name, list := range configurations(t) {
		if list.CNIVersion != "1.0.0" || !strings.HasSuffix(name, "/"+list.Name) || len(list.Plugins) == 0 {
			t.Fatalf("%s: %+v", name, list)
		}
		p := list.Plugins[0]
		if p.Type != "ipvlan" || p.Mode != "l2" || p.Master == "" || p.Master == "eth0" || p.IPAM == nil {
			t.Errorf("%s: the first plugin is %+v", name, p)
			continue
		}
		spans := p.IPAM.spans(name)
		seen = append(seen, p.IPAM.Type)
		if p.IPAM.Type == "static" != (len(spans) == 0) || p.IPAM.Type == "static" != p.Capabilities["ips"] {
			t.Errorf("%s: %s with %d ranges, capabilities %v", name, p.IPAM.Type, len(spans), p.Capabilities)
		}
		for _, more := range list.Plugins[1:] {
			if more.Type != "sbr" {
				t.Errorf("%s: a plugin of type %q", name, more.Type)
			}
			for _, s := range spans {
				subnet := netip.MustParsePrefix(s.subnet)
				if s.gateway != subnet.Addr().Next().String() {
					t.Errorf("%s: sbr with the gateway %q in %s", name, s.gateway, subnet)
				}
			}
		}
	}
	for _, want := range []string{"whereabouts", "host-local", "static"} {
		if !slices.Contains(seen, want) {
			t.Errorf("no network has %s", want)
		}
	}
}

// TestReservationsHoldEveryAddress: what AWS may not hand out is what pods may
// get, and no two networks share an address.
func TestReservationsHoldEveryAddress(t *testing.T) {
	var reserved []netip.Prefix
	for _, m := range regexp.MustCompile(`(?m)^reserve "\$N\d" (\S+)$`).FindAllStringSubmatch(read(t, where+"/workers/reservations.sh"), -1) {
		reserved = append(reserved, netip.MustParsePrefix(m[1]))
	}
	var terraform []netip.Prefix
	for _, m := range regexp.MustCompile(`cidr = "(\S+)"`).FindAllStringSubmatch(read(t, where+"/workers/main.tf"), -1) {
		terraform = append(terraform, netip.MustParsePrefix(m[1]))
	}
	if len(reserved) == 0 || !slices.Equal(reserved, terraform) {
		t.Errorf("reservations.sh has %v, main.tf %v", reserved, terraform)
	}
	holds := func(first, last netip.Addr) bool {
		return slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(first) && p.Contains(last) })
	}
	var taken []span
	for name, list := range configurations(t) {
		for _, s := range list.Plugins[0].IPAM.spans(name) {
			subnet, first, last := netip.MustParsePrefix(s.subnet), netip.MustParseAddr(s.first), netip.MustParseAddr(s.last)
			if !subnet.Contains(first) || !subnet.Contains(last) || last.Less(first) || !holds(first, last) {
				t.Errorf("%s: %s to %s, of %s, is not reserved", name, first, last, subnet)
			}
			for _, o := range taken {
				if !last.Less(netip.MustParseAddr(o.first)) && !netip.MustParseAddr(o.last).Less(first) {
					t.Errorf("%s and %s share addresses", name, o.network)
				}
			}
			taken = append(taken, s)
		}
	}
	for _, text := range []string{"10.0.3.70", "10.0.3.71", "10.0.3.80", "2001:db8:0:3:1::70", "2001:db8:0:3:1::71", "2001:db8:0:3:1::80"} {
		a := netip.MustParseAddr(text)
		if !holds(a, a) {
			t.Errorf("%s of keepalived/active-standby.yaml is not reserved", a)
		}
		for _, o := range taken {
			first, last := netip.MustParseAddr(o.first), netip.MustParseAddr(o.last)
			if !a.Less(first) && !last.Less(a) {
				t.Errorf("%s may hand out %s of keepalived/active-standby.yaml", o.network, a)
			}
		}
	}
}

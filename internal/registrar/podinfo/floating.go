// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package podinfo

import (
	"fmt"
	"net/netip"
	"strings"
)

// The annotations that may change while the pod runs. pkg/inject checks them at
// admission; the API server lets them be changed afterwards.
const (
	FloatingIPsKey = "multus-ip-registrar.io/floating-ips"
	RouteTablesKey = "multus-ip-registrar.io/route-tables"
)

// ParseFloatingIPs reads addresses and prefixes without host bits, separated by
// commas.
func ParseFloatingIPs(texts []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, t := range texts {
		p, err := parsePrefix(strings.TrimSpace(t))
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" && !a.Is4In6() {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4In6() {
		return p, fmt.Errorf("%q is neither an IP address nor a prefix such as 10.0.1.48/28", text)
	}
	if p != p.Masked() {
		return p, fmt.Errorf("%s has host bits set: write %s, or the address alone", p, p.Masked())
	}
	return p, nil
}

// ParseRouteTables reads route table IDs.
func ParseRouteTables(texts []string) ([]string, error) {
	var out []string
	for _, t := range texts {
		t = strings.TrimSpace(t)
		if !strings.HasPrefix(t, "rtb-") || len(t) == len("rtb-") {
			return nil, fmt.Errorf("%q is not the ID of a route table (rtb-…)", t)
		}
		out = append(out, t)
	}
	return out, nil
}

// List splits an annotation's value at its commas; an empty one is no list.
func List(value string) []string {
	if strings.TrimSpace(value) == "" {
		return nil
	}
	return strings.Split(value, ",")
}

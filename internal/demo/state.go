// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// holdings are the addresses that EC2 has on each ENI, by the ENI's name.
type holdings map[string][]netip.Addr

func holdingsOf(enis []model.ENI) holdings {
	h := holdings{}
	for _, e := range enis {
		h[e.Name] = e.Addresses()
	}
	return h
}

// difference says what became of the addresses since before: "10.0.1.100 is
// still on w1-sig", "10.0.1.11 is gone from w1-sig". Those of expected are to
// be there now and are no difference.
func difference(before, now holdings, expected []owned) []string {
	var out []string
	for _, eni := range slices.Sorted(maps.Keys(now)) {
		for _, a := range now[eni] {
			if !slices.Contains(before[eni], a) && !slices.Contains(expected, owned{a, eni}) {
				out = append(out, fmt.Sprintf("%s is still on %s", a, eni))
			}
		}
		for _, a := range before[eni] {
			if !slices.Contains(now[eni], a) {
				out = append(out, fmt.Sprintf("%s is gone from %s", a, eni))
			}
		}
	}
	for _, o := range expected {
		if !slices.Contains(now[o.eni], o.addr) {
			out = append(out, fmt.Sprintf("%s is not on %s", o.addr, o.eni))
		}
	}
	return out
}

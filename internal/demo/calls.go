// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// since are the calls that arrived after a moment.
func since(calls []model.Call, moment time.Time) []model.Call {
	return slices.DeleteFunc(slices.Clone(calls), func(c model.Call) bool { return c.Time.Before(moment) })
}

// tally counts calls by action.
func tally(calls []model.Call) map[string]int {
	n := make(map[string]int)
	for _, c := range calls {
		n[c.Action]++
	}
	return n
}

// count writes a tally as "4 (1×DescribeNetworkInterfaces, 3×…)".
func count(tally map[string]int) string {
	var parts []string
	total := 0
	for _, action := range slices.Sorted(maps.Keys(tally)) {
		parts = append(parts, fmt.Sprintf("%d×%s", tally[action], action))
		total += tally[action]
	}
	if total == 0 {
		return "none"
	}
	return fmt.Sprintf("%d (%s)", total, strings.Join(parts, ", "))
}

// acknowledged is when EC2 told an ENI's registrar that it has the address, in
// answer to a call since a moment; false when it has not. With route tables it
// is when the last of them was led there.
func acknowledged(calls []model.Call, addr netip.Addr, eniID string, moment time.Time, tables ...string) (at time.Time, ok bool) {
	missing := slices.Clone(tables)
	if len(tables) == 0 {
		missing = []string{""}
	}
	for _, c := range since(calls, moment) {
		takes := strings.HasPrefix(c.Action, "Assign") || c.Action == "ReplaceRoute" || c.Action == "CreateRoute"
		i := slices.Index(missing, c.RouteTable)
		if i < 0 || !takes || !c.Done || c.Code != "" || c.ENI != eniID || !c.Names(addr) {
			continue
		}
		missing = slices.Delete(missing, i, i+1)
		if end := c.Time.Add(c.Duration); end.After(at) {
			at = end
		}
	}
	return at, len(missing) == 0
}

// about are a worker's calls that name the address, and those that name none.
func about(calls []model.Call, worker string, addr netip.Addr) []model.Call {
	return slices.DeleteFunc(slices.Clone(calls), func(c model.Call) bool {
		return c.Worker != worker || len(c.Addresses) > 0 && !c.Names(addr)
	})
}

// routeless are the calls that are not about routes.
func routeless(calls []model.Call) []model.Call {
	return slices.DeleteFunc(slices.Clone(calls), func(c model.Call) bool { return strings.Contains(c.Action, "Route") })
}

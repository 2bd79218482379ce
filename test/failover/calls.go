// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// inEffect are the calls that have changed where a way leads, in the order in
// which they did.
func inEffect(calls []model.Call, w way) []model.Call {
	var out []model.Call
	for _, c := range calls {
		if c.Effective && w.named(c) && !strings.HasPrefix(c.Action, "Describe") {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b model.Call) int { return effect(a).Compare(effect(b)) })
	return out
}

// releases says whether a call leaves an address on no ENI.
func releases(c model.Call) bool {
	return strings.HasPrefix(c.Action, "Unassign") || c.Action == "DeleteRoute"
}

// effect is when a call that is done was carried out: after half of its time.
func effect(c model.Call) time.Time { return c.Time.Add(c.Duration / 2) }

// dryRun says that a call only asks whether it would be allowed.
func dryRun(c model.Call) bool { return c.Params["DryRun"] == "true" }

// about are a worker's calls about a way, and those that name no address.
func about(calls []model.Call, worker string, w way) []model.Call {
	return slices.DeleteFunc(slices.Clone(calls), func(c model.Call) bool {
		return c.Worker != worker || len(c.Addresses) > 0 && !w.named(c) || dryRun(c)
	})
}

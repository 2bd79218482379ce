// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"net/netip"
	"strings"
)

// dryRunOperation is EC2's error code for a dry run that would have succeeded.
const dryRunOperation = "DryRunOperation"

// ProbeRoute asks EC2 whether the caller may do what call and its end may need:
// replace, create and delete the route to its first address in its table. It
// changes nothing: the three requests are dry runs. nil means that all of them
// are allowed; otherwise the reason names those that are not, or says why EC2
// could not tell. call.Verb is not read.
//
// Whether EC2 looks for the route before it answers a dry run is not documented:
// a route that is missing or there already counts as allowed.
func (c *Client) ProbeRoute(ctx context.Context, call Call) *Reason {
	call.Verb = Claim
	r := &run{client: c, call: call, left: newBudget(maxRequests), settled: map[netip.Addr]Outcome{}}
	addrs := r.admit()
	if len(addrs) == 0 || call.Table == "" {
		for _, o := range r.settled {
			return o.Reason
		}
		return &Reason{Code: AddressInvalid, Class: Permanent, Text: "There is no route to be probed without an address and a route table."}
	}
	var why *Reason
	var denied []string
	for _, action := range []string{"ReplaceRoute", "CreateRoute", "DeleteRoute"} {
		req := r.request(action)
		v := r.mayAsk(ctx, req)
		if v == nil {
			err := c.sendRoute(ctx, action, call, addrs[0], true)
			if err == nil {
				continue
			}
			judged := judge(err, req)
			v = &judged
		}
		switch {
		case v.ec2Code == dryRunOperation, v.scope == routeMissing, v.scope == routeThere:
			continue
		case v.code == NotAuthorized:
			denied = append(denied, "ec2:"+action)
			if why == nil || why.Code != NotAuthorized {
				why = v.reason(addrs[0])
			}
		case why == nil:
			why = v.reason(addrs[0])
		}
	}
	if len(denied) > 0 {
		why.Text = "IAM does not allow " + strings.Join(denied, ", ") + " on " + call.Table + ", which a failover needs. " + why.Text
		why.Cure = strings.Replace(cureNotAuthorized, "ec2:{action}", strings.Join(denied, ", ")+" on "+call.Table, 1)
	}
	return why
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// routeTries bounds how often a route that comes and goes is tried to be set:
// each time another registrar must have made or deleted it in between.
const routeTries = 3

// routes leads addrs to the call's ENI in the call's route table, or takes them
// away, one by one.
func (r *run) routes(ctx context.Context, addrs []netip.Addr) {
	for _, a := range addrs {
		var v *verdict
		switch r.call.Verb {
		case Claim:
			v = r.claimRoute(ctx, a)
		case Hold:
			v = r.holdRoute(ctx, a)
		default:
			v = r.releaseRoute(ctx, a)
		}
		switch _, settled := r.settled[a]; {
		case v != nil:
			r.refuse([]netip.Addr{a}, *v)
		case !settled:
			r.done(a)
		}
	}
}

// claimRoute replaces the route, and makes it where there is none.
func (r *run) claimRoute(ctx context.Context, a netip.Addr) (v *verdict) {
	for range routeTries {
		if v = r.changeRoute(ctx, "ReplaceRoute", a); v == nil || v.scope != routeMissing {
			return v
		}
		if v = r.changeRoute(ctx, "CreateRoute", a); v == nil || v.scope != routeThere {
			return v
		}
	}
	return v
}

// holdRoute makes the route where there is none and replaces it where its
// target is gone. EC2 has no condition on a replacement: a route that another
// one sets between the look and the replacement of a dead one, which is one
// round trip, is taken from it.
func (r *run) holdRoute(ctx context.Context, a netip.Addr) (v *verdict) {
	for range routeTries {
		var at Route
		if at, v = r.look(ctx, a); v != nil {
			return v
		}
		again := routeThere
		switch {
		case at.ENI == r.call.ENI:
			return nil
		case at.ENI == "" && !at.Blackhole:
			v = r.changeRoute(ctx, "CreateRoute", a)
		case at.Blackhole:
			v, again = r.changeRoute(ctx, "ReplaceRoute", a), routeMissing
		default:
			r.settle(a, &Reason{Code: AddressContested, Class: Contested, Cure: CureContested, Owner: at.ENI,
				Text: fmt.Sprintf("%s in %s is led to %s, so it was not led to %s.", a, r.call.Table, at.ENI, r.call.ENI)})
			return nil
		}
		if v == nil || v.scope != again {
			return v
		}
	}
	return v
}

// releaseRoute deletes the route while it leads to the call's ENI. EC2 has no
// condition on a deletion: a route that another one replaces between the look
// and the deletion, which is one round trip, is deleted with it, and made again
// by whoever holds it when it is next looked at.
func (r *run) releaseRoute(ctx context.Context, a netip.Addr) *verdict {
	at, v := r.look(ctx, a)
	if v != nil || at.ENI != r.call.ENI {
		return v
	}
	if v = r.changeRoute(ctx, "DeleteRoute", a); v != nil && (v.scope == routeMissing || v.scope == allGone) {
		return nil
	}
	return v
}

// look asks where the route leads now.
func (r *run) look(ctx context.Context, a netip.Addr) (Route, *verdict) {
	req := request{action: "DescribeRouteTables", table: r.call.Table}
	if v := r.mayAsk(ctx, req); v != nil {
		return Route{}, v
	}
	found, err := r.client.routesIn(ctx, []string{r.call.Table}, []netip.Addr{a})
	if err != nil {
		v := judge(err, req)
		return Route{}, &v
	}
	if len(found) == 0 { // EC2 does not know the table; whoever changes it is told
		return Route{Table: r.call.Table, Addr: a}, nil
	}
	return found[0], nil
}

// changeRoute sends one request for one route.
func (r *run) changeRoute(ctx context.Context, action string, a netip.Addr) *verdict {
	req := r.request(action)
	if v := r.mayAsk(ctx, req); v != nil {
		return v
	}
	err := r.client.sendRoute(ctx, action, r.call, a, false)
	if err == nil {
		return nil
	}
	v := judge(err, req)
	return &v
}

// sendRoute is ReplaceRoute, CreateRoute or DeleteRoute of a.
func (c *Client) sendRoute(ctx context.Context, action string, call Call, a netip.Addr, dry bool) error {
	var dst4, dst6 *string
	if dst := aws.String(hostRoute(a)); a.Is4() {
		dst4 = dst
	} else {
		dst6 = dst
	}
	var dryRun *bool
	if dry {
		dryRun = aws.Bool(true)
	}
	var err error
	switch action {
	case "ReplaceRoute":
		_, err = c.EC2.ReplaceRoute(ctx, &ec2.ReplaceRouteInput{RouteTableId: &call.Table, DestinationCidrBlock: dst4, DestinationIpv6CidrBlock: dst6, NetworkInterfaceId: &call.ENI, DryRun: dryRun})
	case "CreateRoute":
		_, err = c.EC2.CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: &call.Table, DestinationCidrBlock: dst4, DestinationIpv6CidrBlock: dst6, NetworkInterfaceId: &call.ENI, DryRun: dryRun})
	default:
		_, err = c.EC2.DeleteRoute(ctx, &ec2.DeleteRouteInput{RouteTableId: &call.Table, DestinationCidrBlock: dst4, DestinationIpv6CidrBlock: dst6, DryRun: dryRun})
	}
	return err
}

// hostRoute is the route of one address: /32 or /128.
func hostRoute(a netip.Addr) string { return netip.PrefixFrom(a, a.BitLen()).String() }

// CureSourceDestCheck is what helps where SourceDestCheckOn is the reason.
func CureSourceDestCheck(eni string) string {
	return fmt.Sprintf("Switch it off: aws ec2 modify-network-interface-attribute --network-interface-id %s --no-source-dest-check.", eni)
}

func sourceDestCheckOn(eni string, a netip.Addr) *Reason {
	return &Reason{Code: SourceDestCheckOn, Class: Permanent,
		Text: fmt.Sprintf("%s was not led to %s, whose source/destination check would drop its packets.", a, eni),
		Cure: CureSourceDestCheck(eni)}
}

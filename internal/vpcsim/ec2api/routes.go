// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"context"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

type describeRouteTablesReply struct {
	head
	Tables    list[tableItem] `xml:"routeTableSet"`
	NextToken string          `xml:"nextToken,omitempty"`
}

type tableItem struct {
	RouteTableID string            `xml:"routeTableId"`
	VPCID        string            `xml:"vpcId"`
	OwnerID      string            `xml:"ownerId"`
	Routes       list[routeItem]   `xml:"routeSet"`
	Associations list[association] `xml:"associationSet"`
	Tags         list[tagItem]     `xml:"tagSet"`
}

type routeItem struct {
	CIDR               string `xml:"destinationCidrBlock,omitempty"`
	IPv6CIDR           string `xml:"destinationIpv6CidrBlock,omitempty"`
	GatewayID          string `xml:"gatewayId,omitempty"`
	InstanceID         string `xml:"instanceId,omitempty"`
	InstanceOwnerID    string `xml:"instanceOwnerId,omitempty"`
	NetworkInterfaceID string `xml:"networkInterfaceId,omitempty"`
	State              string `xml:"state"`
	Origin             string `xml:"origin"`
}

type association struct {
	ID           string `xml:"routeTableAssociationId"`
	RouteTableID string `xml:"routeTableId"`
	SubnetID     string `xml:"subnetId,omitempty"`
	Main         bool   `xml:"main"`
	State        string `xml:"associationState>state"`
}

func describeRouteTables(f *form) func(context.Context, *model.VPC) (reply, error) {
	in := f.describe("RouteTableId")
	return func(ctx context.Context, v *model.VPC) (reply, error) {
		out, err := v.DescribeRouteTables(ctx, in)
		return &describeRouteTablesReply{Tables: listOf(out.Tables, newTableItem), NextToken: out.NextToken}, err
	}
}

func newTableItem(t model.RouteTable) tableItem {
	item := tableItem{RouteTableID: t.ID, VPCID: t.VPCID, OwnerID: t.OwnerID, Routes: listOf(t.Routes, newRouteItem), Tags: newTags(t.Tags)}
	if t.Main {
		item.Associations.Items = []association{{topology.DeriveID("rtbassoc", t.ID), t.ID, "", true, "associated"}}
	}
	for _, s := range t.SubnetIDs {
		item.Associations.Items = append(item.Associations.Items, association{topology.DeriveID("rtbassoc", s), t.ID, s, false, "associated"})
	}
	return item
}

func newRouteItem(r model.Route) routeItem {
	item := routeItem{State: r.State(), Origin: r.Origin(), InstanceID: r.InstanceID, InstanceOwnerID: r.OwnerID, NetworkInterfaceID: r.ENI}
	if !r.Created {
		item.GatewayID = "local"
	}
	if r.Destination.Addr().Is4() {
		item.CIDR = r.Destination.String()
	} else {
		item.IPv6CIDR = r.Destination.String()
	}
	return item
}

// route is CreateRoute, ReplaceRoute and DeleteRoute; the target is always an ENI.
func route(change func(*model.VPC, context.Context, model.RouteInput) error) func(*form) func(context.Context, *model.VPC) (reply, error) {
	return func(f *form) func(context.Context, *model.VPC) (reply, error) {
		in := model.RouteInput{
			RouteTableID:       f.text("RouteTableId"),
			Destination:        f.prefix("DestinationCidrBlock"),
			NetworkInterfaceID: f.text("NetworkInterfaceId"),
			DryRun:             f.flag("DryRun"),
		}
		if v6 := f.prefix("DestinationIpv6CidrBlock"); v6.IsValid() {
			if in.Destination.IsValid() {
				f.fail(model.Refuse(model.CodeInvalidCombination, "The request must contain either destinationCidrBlock or destinationIpv6CidrBlock, not both"))
			}
			in.Destination = v6
		}
		return func(ctx context.Context, v *model.VPC) (reply, error) {
			return &done{Return: true}, change(v, ctx, in)
		}
	}
}

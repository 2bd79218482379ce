// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"context"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

type describeSubnetsReply struct {
	head
	Subnets   list[subnetItem] `xml:"subnetSet"`
	NextToken string           `xml:"nextToken,omitempty"`
}

type subnetItem struct {
	SubnetID         string               `xml:"subnetId"`
	SubnetARN        string               `xml:"subnetArn"`
	State            string               `xml:"state"`
	OwnerID          string               `xml:"ownerId"`
	VPCID            string               `xml:"vpcId"`
	CIDRBlock        string               `xml:"cidrBlock"`
	IPv6Associations list[ipv6Associated] `xml:"ipv6CidrBlockAssociationSet"`
	Available        int                  `xml:"availableIpAddressCount"`
	AvailabilityZone string               `xml:"availabilityZone"`
	Tags             list[tagItem]        `xml:"tagSet"`
}

type ipv6Associated struct {
	IPv6CIDRBlock string `xml:"ipv6CidrBlock"`
	AssociationID string `xml:"associationId"`
	State         string `xml:"ipv6CidrBlockState>state"`
}

func describeSubnets(f *form) func(context.Context, *model.VPC) (reply, error) {
	in := f.describe("SubnetId")
	return func(ctx context.Context, v *model.VPC) (reply, error) {
		out, err := v.DescribeSubnets(ctx, in)
		region := v.Topology().Region
		return &describeSubnetsReply{
			Subnets:   listOf(out.Subnets, func(s model.Subnet) subnetItem { return newSubnetItem(s, region) }),
			NextToken: out.NextToken,
		}, err
	}
}

func newSubnetItem(s model.Subnet, region string) subnetItem {
	item := subnetItem{
		SubnetID: s.ID, SubnetARN: "arn:aws:ec2:" + region + ":" + s.OwnerID + ":subnet/" + s.ID, State: "available",
		OwnerID: s.OwnerID, VPCID: s.VPCID, CIDRBlock: s.CIDR.String(), Available: s.Available,
		AvailabilityZone: s.Zone, Tags: newTags(s.Tags),
	}
	if s.IPv6.IsValid() {
		item.IPv6Associations.Items = []ipv6Associated{{s.IPv6.String(), topology.DeriveID("subnet-cidr-assoc", s.ID), "associated"}}
	}
	return item
}

type reservationItem struct {
	ID          string        `xml:"subnetCidrReservationId"`
	SubnetID    string        `xml:"subnetId"`
	CIDR        string        `xml:"cidr"`
	Type        string        `xml:"reservationType"`
	OwnerID     string        `xml:"ownerId"`
	Description string        `xml:"description"`
	Tags        list[tagItem] `xml:"tagSet"`
}

func newReservationItem(r model.Reservation) reservationItem {
	return reservationItem{ID: r.ID, SubnetID: r.SubnetID, CIDR: r.CIDR.String(), Type: r.Type, OwnerID: r.OwnerID, Description: r.Description}
}

type createReservationReply struct {
	head
	Reservation reservationItem `xml:"subnetCidrReservation"`
}

func createReservation(f *form) func(context.Context, *model.VPC) (reply, error) {
	in := model.CreateSubnetCIDRReservationInput{
		SubnetID:    f.text("SubnetId"),
		CIDR:        f.prefix("Cidr"),
		Type:        f.text("ReservationType"),
		Description: f.text("Description"),
		DryRun:      f.flag("DryRun"),
	}
	return func(ctx context.Context, v *model.VPC) (reply, error) {
		out, err := v.CreateSubnetCIDRReservation(ctx, in)
		return &createReservationReply{Reservation: newReservationItem(out)}, err
	}
}

type getReservationsReply struct {
	head
	IPv4 list[reservationItem] `xml:"subnetIpv4CidrReservationSet"`
	IPv6 list[reservationItem] `xml:"subnetIpv6CidrReservationSet"`
}

func getReservations(f *form) func(context.Context, *model.VPC) (reply, error) {
	subnet, dry := f.text("SubnetId"), f.flag("DryRun")
	return func(ctx context.Context, v *model.VPC) (reply, error) {
		all, err := v.GetSubnetCIDRReservations(ctx, subnet, dry)
		out := &getReservationsReply{}
		for _, r := range all {
			l := &out.IPv6
			if r.CIDR.Addr().Is4() {
				l = &out.IPv4
			}
			l.Items = append(l.Items, newReservationItem(r))
		}
		return out, err
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"context"
	"net/netip"
	"slices"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// A Reservation is a subnet CIDR reservation.
type Reservation struct {
	ID       string
	SubnetID string
	OwnerID  string
	CIDR     netip.Prefix
	// Type is topology.ReservationExplicit or topology.ReservationPrefix.
	Type        string
	Description string
}

// reserve adds a reservation that has been checked. It wants mu.
func (v *VPC) reserve(s *subnet, r Reservation) Reservation {
	r.SubnetID, r.OwnerID = s.spec.ID, v.topo.Account
	r.ID = topology.DeriveID("scr", s.spec.ID+"/"+r.CIDR.String())
	s.reservations = append(s.reservations, r)
	return r
}

// CreateSubnetCIDRReservationInput describes a new reservation.
type CreateSubnetCIDRReservationInput struct {
	SubnetID    string
	CIDR        netip.Prefix
	Type        string
	Description string
	DryRun      bool
}

// CreateSubnetCIDRReservation is the EC2 action CreateSubnetCidrReservation.
// What is assigned from the block already stays where it is.
func (v *VPC) CreateSubnetCIDRReservation(ctx context.Context, in CreateSubnetCIDRReservationInput) (Reservation, error) {
	r := request{action: "CreateSubnetCidrReservation", dryRun: in.DryRun, addrs: []string{in.CIDR.String()}}
	return serve(ctx, v, r, func() (Reservation, *Error) {
		s := v.subnets[in.SubnetID]
		if s == nil {
			return Reservation{}, errSubnetNotFound(in.SubnetID)
		}
		if in.Type != topology.ReservationExplicit && in.Type != topology.ReservationPrefix {
			return Reservation{}, Refuse(CodeInvalidParameter, "Invalid value '%s' for reservationType", in.Type)
		}
		block := s.block(in.CIDR.Addr().Is4())
		if in.CIDR != in.CIDR.Masked() || !topology.Covers(block, in.CIDR) {
			return Reservation{}, Refuse(CodeInvalidParameter, "The CIDR '%s' is not within the subnet '%s'", in.CIDR, in.SubnetID)
		}
		if slices.ContainsFunc(s.reservations, func(o Reservation) bool { return o.CIDR.Overlaps(in.CIDR) }) {
			return Reservation{}, Refuse(CodeReservationConflict, "The CIDR '%s' conflicts with another subnet CIDR reservation", in.CIDR)
		}
		return v.reserve(s, Reservation{CIDR: in.CIDR, Type: in.Type, Description: in.Description}), nil
	})
}

// GetSubnetCIDRReservations is the EC2 action GetSubnetCidrReservations.
func (v *VPC) GetSubnetCIDRReservations(ctx context.Context, subnetID string, dryRun bool) ([]Reservation, error) {
	return serve(ctx, v, request{action: "GetSubnetCidrReservations", dryRun: dryRun}, func() ([]Reservation, *Error) {
		s := v.subnets[subnetID]
		if s == nil {
			return nil, errSubnetNotFound(subnetID)
		}
		return slices.Clone(s.reservations), nil
	})
}

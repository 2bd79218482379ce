// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// A Holder is the ENI that has an address.
type Holder struct {
	// ENI is its ID.
	ENI string
	// InstanceID is the instance that it is attached to, "" where it is not.
	InstanceID string
	// Primary says that the address is a primary one there, and so cannot be taken.
	Primary bool
}

// Holders tells which ENI has each of addrs as an address of its own (not by a
// delegated prefix), as of now: one filtered request per family. Addresses that
// nobody has are not in the answer. The question is kept to the VPC of about, or
// where that is not known to its subnet; where neither is, it costs one more
// request to learn. It fails with an *Error.
func (c *Client) Holders(ctx context.Context, about ENI, addrs []netip.Addr) (map[netip.Addr]Holder, error) {
	holders := map[netip.Addr]Holder{}
	var families [2][]netip.Addr
	for _, a := range addrs {
		if a = a.Unmap().WithZone(""); a.Is4() {
			families[0] = append(families[0], a)
		} else if a.IsValid() {
			families[1] = append(families[1], a)
		}
	}
	if len(families[0])+len(families[1]) == 0 {
		return holders, nil
	}
	if about.VPCID == "" && about.SubnetID == "" {
		enis, err := c.Describe(ctx, []string{about.ID})
		if err != nil {
			return nil, err
		}
		if len(enis) != 1 {
			return nil, &Error{Why: &Reason{Code: ENINotFound, Class: Gone, Cure: cureENINotFound,
				Text: fmt.Sprintf("EC2 does not know %s, in whose VPC the holders of addresses were to be looked for.", about.ID)}}
		}
		about = enis[0]
	}
	for _, family := range families {
		found, err := c.holders(ctx, about, family)
		if err != nil {
			return nil, describeError(err)
		}
		for a, h := range found {
			holders[a] = Holder{ENI: h.eni.ID, InstanceID: h.eni.InstanceID, Primary: h.primary}
		}
	}
	return holders, nil
}

// A holder is the ENI that has an address.
type holder struct {
	eni     ENI
	primary bool
}

// String names the ENI and, where it is known, its instance.
func (h holder) String() string {
	if h.eni.InstanceID == "" {
		return h.eni.ID
	}
	return h.eni.ID + " of " + h.eni.InstanceID
}

// holders asks who has addrs, which are of one family, in the VPC or else the
// subnet of about: another VPC may use the same addresses, and has nothing to do
// with it.
func (c *Client) holders(ctx context.Context, about ENI, addrs []netip.Addr) (map[netip.Addr]holder, error) {
	holders := map[netip.Addr]holder{}
	if len(addrs) == 0 {
		return holders, nil
	}
	name := "addresses.private-ip-address"
	if addrs[0].Is6() {
		name = "ipv6-addresses.ipv6-address"
	}
	scope := filter("vpc-id", about.VPCID)
	if about.VPCID == "" {
		scope = filter("subnet-id", about.SubnetID)
	}
	enis, err := c.describe(ctx, name, texts(addrs), scope)
	if err != nil {
		return nil, err
	}
	asked := make(map[netip.Addr]bool, len(addrs))
	for _, a := range addrs {
		asked[a] = true
	}
	for _, e := range enis {
		for _, a := range e.Addresses {
			if asked[a] && holders[a].eni.ID != about.ID {
				holders[a] = holder{eni: e, primary: a == e.Primary || a == e.PrimaryIPv6}
			}
		}
	}
	return holders, nil
}

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: &name, Values: values}
}

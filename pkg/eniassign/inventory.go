// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"errors"
	"net/netip"
)

// Inventory tells which ENIs this worker has. IMDS is asked first and tells
// all of them; where it does not answer within a second, one filtered Describe
// tells those that have one of macs, which are the MAC addresses of the
// pod's interfaces in lower case; without them EC2 is not asked. Where neither
// answers the error holds both reasons, EC2's first, each an *Error.
func (c *Client) Inventory(ctx context.Context, macs []string) (Inventory, error) {
	inv, imdsErr := c.inventoryIMDS(ctx)
	if imdsErr == nil {
		return inv, nil
	}
	if len(macs) == 0 {
		return Inventory{}, errors.Join(&Error{
			Why: &Reason{Code: NoENI, Class: Permanent, Text: "EC2 cannot be asked for ENIs without the MAC address of an interface."},
			Err: errors.ErrUnsupported,
		}, imdsErr)
	}
	enis, err := c.describe(ctx, "mac-address", macs)
	if err != nil {
		return Inventory{}, errors.Join(describeError(err), imdsErr)
	}
	return Inventory{ENIs: enis, IMDSError: imdsErr.Why.String()}, nil
}

// Hint is eni with the address lists that IMDS has now, and with what is left
// of its delegated prefixes; new ones are not looked for. They may be a minute
// old: confirm with Describe before acting on them. It costs no EC2 request. It
// fails with an *Error.
func (c *Client) Hint(ctx context.Context, eni ENI) (ENI, error) {
	ctx, cancel := context.WithTimeout(ctx, imdsTimeout)
	defer cancel()
	var lists eniLeaves
	leaves := lists.addresses(eni.MAC)
	if len(eni.Prefixes) > 0 { // a new one makes no address lost
		leaves = append(leaves, lists.prefixes(eni.MAC)...)
	}
	if err := c.readLeaves(ctx, leaves); err != nil {
		return ENI{}, imdsFailure(err, "read the addresses of "+eni.ID)
	}
	if lists.localIPv4s == "" && lists.ipv6s == "" {
		// Each ENI has a primary address: this one is not attached any more.
		return ENI{}, &Error{
			Why: &Reason{Code: ENINotFound, Class: Gone, Cure: cureENINotFound, Text: "IMDS does not list " + eni.ID + " (" + eni.MAC + ") on this worker any more."},
			Err: errors.ErrUnsupported,
		}
	}
	eni.Addresses, eni.Prefixes = nil, nil
	lists.fill(&eni)
	return eni, nil
}

// inventoryIMDS walks IMDS.
func (c *Client) inventoryIMDS(ctx context.Context) (Inventory, *Error) {
	if c.IMDS == nil {
		return Inventory{}, &Error{Why: &Reason{Code: IMDSBlocked, Class: Permanent, Text: "IMDS is not used."}, Err: errors.ErrUnsupported}
	}
	macs, err := c.probe(ctx)
	if err != nil {
		return Inventory{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, imdsTimeout)
	defer cancel()
	inv := Inventory{FromIMDS: true}
	leaves := []leaf{
		{"instance-id", &inv.InstanceID},
		{"instance-type", &inv.InstanceType},
		{"placement/region", &inv.Region},
	}
	found := make([]eniLeaves, len(macs))
	for i, mac := range macs {
		leaves = append(leaves, found[i].unchanging(mac)...)
		leaves = append(leaves, found[i].changing(mac)...)
	}
	if err := c.readLeaves(ctx, leaves); err != nil {
		return Inventory{}, imdsFailure(err, "read this worker's interfaces")
	}
	for i, mac := range macs {
		if found[i].id == "" {
			continue // detached while we were reading
		}
		e := ENI{MAC: mac, InstanceID: inv.InstanceID, InstanceType: inv.InstanceType}
		found[i].identify(&e)
		found[i].fill(&e)
		inv.ENIs = append(inv.ENIs, e)
	}
	if len(inv.ENIs) == 0 {
		return Inventory{}, imdsFailure(errors.New("it lists no interface"), "read this worker's interfaces")
	}
	return inv, nil
}

// primaryOf is the first IPv4 address, which IMDS documents as the primary one.
func primaryOf(addrs []netip.Addr) netip.Addr {
	if len(addrs) > 0 && addrs[0].Is4() {
		return addrs[0]
	}
	return netip.Addr{}
}

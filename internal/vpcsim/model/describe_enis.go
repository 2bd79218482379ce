// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// DescribeInput is what all Describe actions take.
type DescribeInput struct {
	IDs        []string
	Filters    []Filter
	MaxResults int
	NextToken  string
	DryRun     bool
}

// plain says that neither filter nor pagination narrows the call down; ids do
// so only where byID says it.
func (in DescribeInput) plain(byID bool) bool {
	return len(in.Filters) == 0 && in.MaxResults == 0 && in.NextToken == "" && (len(in.IDs) == 0 || !byID)
}

// DescribeNetworkInterfacesOutput is one page of ENIs.
type DescribeNetworkInterfacesOutput struct {
	ENIs      []ENI
	NextToken string
}

// DescribeNetworkInterfaces is the EC2 action. The order is that of the topology.
func (v *VPC) DescribeNetworkInterfaces(ctx context.Context, in DescribeInput) (DescribeNetworkInterfacesOutput, error) {
	v.mu.RLock()
	byID := v.assume.DescribeByIDFiltered
	v.mu.RUnlock()
	r := request{action: "DescribeNetworkInterfaces", unfiltered: in.plain(byID), dryRun: in.DryRun}
	if len(in.IDs) == 1 {
		r.eni = in.IDs[0]
	}
	return serve(ctx, v, r, func() (out DescribeNetworkInterfacesOutput, _ *Error) {
		if err := pageOrIDs("networkInterfaceIds", in.IDs, in.MaxResults); err != nil {
			return out, err
		}
		for _, id := range in.IDs {
			if _, err := v.target(id); err != nil {
				return out, err
			}
		}
		var all []ENI
		for _, e := range v.ordered() {
			if (len(in.IDs) == 0 || slices.Contains(in.IDs, e.id())) && named(e.id(), in.Filters) {
				all = append(all, v.view(e))
			}
		}
		all, err := keep(all, in.Filters, ENI.attribute, func(e ENI) map[string]string { return e.Tags })
		if err != nil {
			return out, err
		}
		out.ENIs, out.NextToken, err = page(all, func(e ENI) string { return e.ID }, in.MaxResults, in.NextToken)
		return out, err
	})
}

// named says whether the filters by id let an ENI through. The others are
// asked of its whole view, which is dear where there are thousands of ENIs.
func named(id string, filters []Filter) bool {
	return !slices.ContainsFunc(filters, func(f Filter) bool {
		return f.Name == "network-interface-id" && !matchAny(f.Values, id)
	})
}

// target returns the ENI with that id (names are not EC2's). It wants mu.
func (v *VPC) target(id string) (*eni, *Error) {
	switch {
	case id == "":
		return nil, errMissing("networkInterfaceId")
	case !strings.HasPrefix(id, "eni-"):
		return nil, Refuse(CodeENIMalformed, "Invalid id: \"%s\" (expecting \"eni-...\")", id)
	case v.enis[id] == nil:
		return nil, errENINotFound(id)
	}
	return v.enis[id], nil
}

// ordered are the ENIs in the topology's order.
func (v *VPC) ordered() []*eni {
	var all []*eni
	for _, w := range v.topo.Workers {
		for _, e := range w.ENIs {
			if known := v.enis[e.ID]; known != nil { // not deleted
				all = append(all, known)
			}
		}
	}
	return all
}

// attribute is what an ENI has under a filter of DescribeNetworkInterfaces.
func (e ENI) attribute(name string) ([]string, bool) {
	one := func(s string) ([]string, bool) { return []string{s}, true }
	switch name {
	case "network-interface-id":
		return one(e.ID)
	case "mac-address":
		return one(e.MAC)
	case "description":
		return one(e.Description)
	case "subnet-id":
		return one(e.SubnetID)
	case "vpc-id":
		return one(e.VPCID)
	case "availability-zone":
		return one(e.Zone)
	case "owner-id", "attachment.instance-owner-id":
		return one(e.OwnerID)
	case "attachment.instance-id":
		return one(e.InstanceID)
	case "attachment.attachment-id":
		return one(e.AttachmentID)
	case "attachment.device-index":
		return one(strconv.Itoa(e.DeviceIndex))
	case "attachment.status":
		return one("attached")
	case "status":
		return one("in-use")
	case "interface-type":
		return one("interface")
	case "source-dest-check":
		return one(strconv.FormatBool(e.SourceDestCheck))
	case "private-ip-address":
		return one(e.Primary.String())
	case "addresses.private-ip-address":
		return append(texts(e.Secondary), e.Primary.String()), true
	case "addresses.primary":
		if len(e.Secondary) > 0 {
			return []string{"true", "false"}, true
		}
		return one("true")
	case "ipv6-addresses.ipv6-address":
		return texts(e.IPv6), true
	default:
		return nil, false
	}
}

// texts are the values' texts.
func texts[T interface{ String() string }](values []T) []string {
	var out []string
	for _, v := range values {
		out = append(out, v.String())
	}
	return out
}

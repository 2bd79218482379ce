// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

const (
	// maxFilterValues is EC2's limit of values in all filters of a request: "The
	// maximum number of filter values specified on a single call is 200"
	// (FilterLimitExceeded).
	maxFilterValues = 200
	// maxPages ends a pagination that never ends: 200 filter values name at
	// most 200 ENIs, which is one page.
	maxPages = 16
)

// Describe tells all that EC2 knows of ENIs, as of now: one filtered request.
// ENIs that do not exist are not in the answer. It fails with an *Error.
func (c *Client) Describe(ctx context.Context, eniIDs []string) ([]ENI, error) {
	enis, err := c.describe(ctx, "network-interface-id", eniIDs)
	if err != nil {
		return nil, describeError(err)
	}
	return enis, nil
}

func describeError(err error) error {
	v := judge(err, request{action: "DescribeNetworkInterfaces"})
	return &Error{Why: v.reason(netip.Addr{}), Err: err}
}

// describe asks for the ENIs for which the filter has one of values. It never
// asks without values: that would list the whole account.
func (c *Client) describe(ctx context.Context, name string, values []string, scope ...types.Filter) ([]ENI, error) {
	var enis []ENI
	room := maxFilterValues
	for _, f := range scope {
		room -= len(f.Values)
	}
	for chunk := range slices.Chunk(values, room) {
		in := &ec2.DescribeNetworkInterfacesInput{Filters: append([]types.Filter{filter(name, chunk...)}, scope...)}
		for page := 0; ; page++ {
			if page == maxPages {
				return nil, fmt.Errorf("describe by %s: more than %d pages", name, maxPages)
			}
			out, err := c.EC2.DescribeNetworkInterfaces(ctx, in)
			if err != nil {
				return nil, err
			}
			for i := range out.NetworkInterfaces {
				if e := fromEC2(&out.NetworkInterfaces[i]); e.ID != "" {
					enis = append(enis, e)
				}
			}
			if aws.ToString(out.NextToken) == "" {
				break
			}
			in.NextToken = out.NextToken
		}
	}
	return enis, nil
}

// fromEC2 reads EC2's description of an ENI, which says everything but the
// subnet's blocks.
func fromEC2(n *types.NetworkInterface) ENI {
	e := ENI{
		ID:          aws.ToString(n.NetworkInterfaceId),
		MAC:         strings.ToLower(aws.ToString(n.MacAddress)),
		DeviceIndex: -1,
		SubnetID:    aws.ToString(n.SubnetId),
		VPCID:       aws.ToString(n.VpcId),
		Tags:        make(map[string]string, len(n.TagSet)),

		SourceDestCheck: n.SourceDestCheck,
	}
	if at := n.Attachment; at != nil {
		if at.DeviceIndex != nil {
			e.DeviceIndex = int(*at.DeviceIndex)
		}
		e.InstanceID = aws.ToString(at.InstanceId)
	}
	for _, t := range n.TagSet {
		e.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	for _, p := range n.PrivateIpAddresses {
		before := len(e.Addresses)
		e.Addresses = appendAddr(e.Addresses, p.PrivateIpAddress)
		if len(e.Addresses) > before && aws.ToBool(p.Primary) {
			e.Primary = e.Addresses[before]
		}
	}
	if a := appendAddr(nil, n.PrivateIpAddress); len(a) == 1 {
		e.Primary = a[0]
		if !slices.Contains(e.Addresses, e.Primary) {
			e.Addresses = append(e.Addresses, e.Primary)
		}
	}
	for _, p := range n.Ipv6Addresses {
		before := len(e.Addresses)
		e.Addresses = appendAddr(e.Addresses, p.Ipv6Address)
		if len(e.Addresses) > before && aws.ToBool(p.IsPrimaryIpv6) {
			e.PrimaryIPv6 = e.Addresses[before]
		}
	}
	for _, p := range n.Ipv4Prefixes {
		e.Prefixes = appendPrefix(e.Prefixes, aws.ToString(p.Ipv4Prefix))
	}
	for _, p := range n.Ipv6Prefixes {
		e.Prefixes = appendPrefix(e.Prefixes, aws.ToString(p.Ipv6Prefix))
	}
	return e
}

// appendPrefix appends what EC2 or IMDS wrote, if it is a prefix.
func appendPrefix(prefixes []netip.Prefix, s string) []netip.Prefix {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return prefixes
	}
	return append(prefixes, p.Masked())
}

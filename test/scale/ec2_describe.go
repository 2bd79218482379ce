// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"context"
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

func (c caller) DescribeNetworkInterfaces(ctx context.Context, in *ec2.DescribeNetworkInterfacesInput, _ ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error) {
	req := model.DescribeInput{IDs: in.NetworkInterfaceIds, NextToken: aws.ToString(in.NextToken)}
	for _, f := range in.Filters {
		req.Filters = append(req.Filters, model.Filter{Name: aws.ToString(f.Name), Values: f.Values})
	}
	got, err := ask(ctx, c.account, c.by, "DescribeNetworkInterfaces", func(ctx context.Context) (model.DescribeNetworkInterfacesOutput, error) {
		for _, f := range in.Filters {
			if name := aws.ToString(f.Name); strings.HasSuffix(name, "private-ip-address") || strings.HasSuffix(name, "ipv6-address") {
				req.Filters = append(req.Filters, c.byHolder(f.Values))
			}
		}
		return c.vpc.DescribeNetworkInterfaces(ctx, req)
	})
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeNetworkInterfacesOutput{}
	if got.NextToken != "" {
		out.NextToken = &got.NextToken
	}
	for _, e := range got.ENIs {
		out.NetworkInterfaces = append(out.NetworkInterfaces, describe(e))
	}
	return out, nil
}

// byHolder is a filter by id beside one by address, which the model would look
// for on every ENI. Together they find the same.
func (a *account) byHolder(addrs []string) model.Filter {
	f := model.Filter{Name: "network-interface-id", Values: []string{"eni-none"}}
	for _, s := range addrs {
		addr, _ := netip.ParseAddr(s) // what is none is found nowhere
		if e, held := a.vpc.Owner(addr); held {
			f.Values = append(f.Values, e.ID)
		}
	}
	return f
}

// describe is an ENI as the SDK tells it, as far as the registrar reads it.
func describe(e model.ENI) types.NetworkInterface {
	out := types.NetworkInterface{
		NetworkInterfaceId: &e.ID, MacAddress: &e.MAC, SubnetId: &e.SubnetID, VpcId: &e.VPCID,
		PrivateIpAddress: aws.String(e.Primary.String()),
		SourceDestCheck:  &e.SourceDestCheck,
		Attachment:       &types.NetworkInterfaceAttachment{DeviceIndex: aws.Int32(int32(e.DeviceIndex)), InstanceId: &e.InstanceID},
	}
	for k, v := range e.Tags {
		out.TagSet = append(out.TagSet, types.Tag{Key: &k, Value: &v})
	}
	for i, a := range append([]netip.Addr{e.Primary}, e.Secondary...) {
		out.PrivateIpAddresses = append(out.PrivateIpAddresses,
			types.NetworkInterfacePrivateIpAddress{PrivateIpAddress: aws.String(a.String()), Primary: aws.Bool(i == 0)})
	}
	for _, a := range e.IPv6 {
		out.Ipv6Addresses = append(out.Ipv6Addresses, types.NetworkInterfaceIpv6Address{Ipv6Address: aws.String(a.String())})
	}
	return out
}

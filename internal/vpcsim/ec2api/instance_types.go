// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"context"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

type describeInstanceTypesReply struct {
	head
	Types     list[instanceTypeItem] `xml:"instanceTypeSet"`
	NextToken string                 `xml:"nextToken,omitempty"`
}

type instanceTypeItem struct {
	InstanceType string      `xml:"instanceType"`
	NetworkInfo  networkInfo `xml:"networkInfo"`
}

type networkInfo struct {
	ENIs                    int             `xml:"maximumNetworkInterfaces"`
	IPv4                    int             `xml:"ipv4AddressesPerInterface"`
	IPv6                    int             `xml:"ipv6AddressesPerInterface"`
	IPv6Supported           bool            `xml:"ipv6Supported"`
	MaximumNetworkCards     int             `xml:"maximumNetworkCards"`
	DefaultNetworkCardIndex int             `xml:"defaultNetworkCardIndex"`
	Cards                   list[cardsItem] `xml:"networkCards"`
}

type cardsItem struct {
	Index int `xml:"networkCardIndex"`
	ENIs  int `xml:"maximumNetworkInterfaces"`
}

func describeInstanceTypes(f *form) func(context.Context, *model.VPC) (reply, error) {
	in := f.describe("InstanceType")
	f.flag("IncludeUnsupportedInRegion")
	return func(ctx context.Context, v *model.VPC) (reply, error) {
		out, err := v.DescribeInstanceTypes(ctx, in)
		return &describeInstanceTypesReply{Types: listOf(out.Types, newInstanceTypeItem), NextToken: out.NextToken}, err
	}
}

func newInstanceTypeItem(t model.InstanceType) instanceTypeItem {
	info := networkInfo{ENIs: t.ENIs, IPv4: t.IPv4, IPv6: t.IPv6, IPv6Supported: t.IPv6 > 0, MaximumNetworkCards: t.Cards}
	for i := range t.Cards {
		info.Cards.Items = append(info.Cards.Items, cardsItem{Index: i, ENIs: t.ENIs / t.Cards})
	}
	return instanceTypeItem{t.Name, info}
}

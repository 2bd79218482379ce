// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

type describeENIsReply struct {
	head
	ENIs      list[eniItem] `xml:"networkInterfaceSet"`
	NextToken string        `xml:"nextToken,omitempty"`
}

type eniItem struct {
	NetworkInterfaceID string            `xml:"networkInterfaceId"`
	SubnetID           string            `xml:"subnetId"`
	VPCID              string            `xml:"vpcId"`
	AvailabilityZone   string            `xml:"availabilityZone"`
	Description        string            `xml:"description"`
	OwnerID            string            `xml:"ownerId"`
	RequesterManaged   bool              `xml:"requesterManaged"`
	Status             string            `xml:"status"`
	MACAddress         string            `xml:"macAddress"`
	PrivateIPAddress   string            `xml:"privateIpAddress"`
	PrivateDNSName     string            `xml:"privateDnsName"`
	SourceDestCheck    bool              `xml:"sourceDestCheck"`
	Groups             list[groupItem]   `xml:"groupSet"`
	Attachment         attachment        `xml:"attachment"`
	Tags               list[tagItem]     `xml:"tagSet"`
	PrivateIPAddresses list[privateItem] `xml:"privateIpAddressesSet"`
	IPv4Prefixes       list[ipv4Prefix]  `xml:"ipv4PrefixSet"`
	IPv6Addresses      list[ipv6Item]    `xml:"ipv6AddressesSet"`
	IPv6Prefixes       list[ipv6Prefix]  `xml:"ipv6PrefixSet"`
	InterfaceType      string            `xml:"interfaceType"`
}

type groupItem struct {
	GroupID   string `xml:"groupId"`
	GroupName string `xml:"groupName"`
}

type attachment struct {
	AttachmentID        string `xml:"attachmentId"`
	InstanceID          string `xml:"instanceId"`
	InstanceOwnerID     string `xml:"instanceOwnerId"`
	DeviceIndex         int    `xml:"deviceIndex"`
	NetworkCardIndex    int    `xml:"networkCardIndex"`
	Status              string `xml:"status"`
	AttachTime          string `xml:"attachTime"`
	DeleteOnTermination bool   `xml:"deleteOnTermination"`
}

type tagItem struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

type privateItem struct {
	PrivateIPAddress string `xml:"privateIpAddress"`
	PrivateDNSName   string `xml:"privateDnsName"`
	Primary          bool   `xml:"primary"`
}

type ipv6Item struct {
	IPv6Address   string `xml:"ipv6Address"`
	IsPrimaryIPv6 bool   `xml:"isPrimaryIpv6"`
}

func describeENIs(f *form) func(context.Context, *model.VPC) (reply, error) {
	in := f.describe("NetworkInterfaceId")
	f.flag("IncludeManagedResources")
	return func(ctx context.Context, v *model.VPC) (reply, error) {
		out, err := v.DescribeNetworkInterfaces(ctx, in)
		region := v.Topology().Region
		return &describeENIsReply{
			ENIs:      listOf(out.ENIs, func(e model.ENI) eniItem { return newENIItem(e, region) }),
			NextToken: out.NextToken,
		}, err
	}
}

func newENIItem(e model.ENI, region string) eniItem {
	dns := func(a netip.Addr) string {
		return fmt.Sprintf("ip-%s.%s.compute.internal", strings.ReplaceAll(a.String(), ".", "-"), region)
	}
	item := eniItem{
		NetworkInterfaceID: e.ID, SubnetID: e.SubnetID, VPCID: e.VPCID, AvailabilityZone: e.Zone,
		Description: e.Description, OwnerID: e.OwnerID, Status: "in-use", MACAddress: e.MAC,
		PrivateIPAddress: e.Primary.String(), PrivateDNSName: dns(e.Primary), SourceDestCheck: e.SourceDestCheck,
		Groups: list[groupItem]{[]groupItem{{topology.DeriveID("sg", e.VPCID), "default"}}},
		Attachment: attachment{
			AttachmentID: e.AttachmentID, InstanceID: e.InstanceID, InstanceOwnerID: e.OwnerID, DeviceIndex: e.DeviceIndex,
			Status: "attached", AttachTime: e.AttachTime.UTC().Format(time.RFC3339), DeleteOnTermination: true,
		},
		Tags:               newTags(e.Tags),
		PrivateIPAddresses: list[privateItem]{[]privateItem{{e.Primary.String(), dns(e.Primary), true}}},
		IPv4Prefixes:       listOf(e.IPv4Prefixes, newIPv4Prefix),
		IPv6Addresses: listOf(e.IPv6, func(a netip.Addr) ipv6Item {
			return ipv6Item{a.String(), a == e.PrimaryIPv6}
		}),
		IPv6Prefixes:  listOf(e.IPv6Prefixes, newIPv6Prefix),
		InterfaceType: "interface",
	}
	for _, a := range e.Secondary {
		item.PrivateIPAddresses.Items = append(item.PrivateIPAddresses.Items, privateItem{a.String(), dns(a), false})
	}
	return item
}

func newTags(tags map[string]string) list[tagItem] {
	return listOf(slices.Sorted(maps.Keys(tags)), func(k string) tagItem { return tagItem{k, tags[k]} })
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import "net/netip"

// NoManageTag is the tag that keeps the Amazon VPC CNI's hands off an ENI.
// Source: amazon-vpc-cni-k8s, ipamd.
const NoManageTag = "node.k8s.amazonaws.com/no_manage"

// An ENI is one elastic network interface as IMDS or EC2 describes it.
type ENI struct {
	// ID is EC2's name of the interface, "eni-…".
	ID string
	// MAC is in lower case with colons.
	MAC string
	// DeviceIndex is the attachment's index on the instance, 0 for the
	// primary ENI, -1 where it is not known (not attached).
	DeviceIndex int
	// InstanceID is the instance that it is attached to, "" where that is not known.
	InstanceID string
	// InstanceType is that instance's type; "" where the source does not tell
	// (DescribeNetworkInterfaces does not).
	InstanceType string
	SubnetID     string
	VPCID        string
	// CIDRs are the subnet's blocks of both families; empty where the source
	// does not tell them (DescribeNetworkInterfaces does not).
	CIDRs []netip.Prefix
	// Primary is the primary private IPv4 address.
	Primary netip.Addr
	// PrimaryIPv6 is the primary IPv6 address; invalid where there is none or
	// the source does not tell (IMDS does not).
	PrimaryIPv6 netip.Addr
	// Addresses are all addresses of both families, the primary ones
	// included. From IMDS they are a hint that may be a minute old.
	Addresses []netip.Addr
	// Prefixes are the delegated prefixes (/28, /80): addresses inside are
	// routed to this ENI without being assigned one by one.
	Prefixes []netip.Prefix
	// Tags are the ENI's tags; nil where the source does not tell them (IMDS).
	Tags map[string]string
	// SourceDestCheck says that EC2 drops packets that are neither from nor to
	// an address of the ENI, those of a route among them. nil where the source
	// does not tell (IMDS). Source: EC2 API reference, NetworkInterface.
	SourceDestCheck *bool
}

// An Inventory is the ENIs of this worker.
type Inventory struct {
	ENIs []ENI
	// FromIMDS says that IMDS answered; then its address lists may be used as
	// a free hint later. Otherwise the ENIs come from one filtered Describe.
	FromIMDS bool
	// IMDSError says why IMDS did not answer, in a sentence with its cure; "" when it did.
	IMDSError string
	// InstanceID, InstanceType and Region are known from IMDS only.
	InstanceID, InstanceType, Region string
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// A tinyVPC is the part of EC2's state that Do depends on, with what is not
// documented as knobs.
type tinyVPC struct {
	enis map[string]*tinyENI
	// bad are addresses that are refused, with EC2's words; "{}" is the address.
	bad map[string]error
	// fail answers a request instead of the model, where it returns an error.
	fail func(action string, n int) error
	// holdRefusesOwn: without AllowReassignment even an ENI's own address is refused.
	holdRefusesOwn bool
	// ackOmitsOwn: the acknowledgement lists only what was not there before.
	ackOmitsOwn bool
	// ackNothing: the acknowledgement is empty.
	ackNothing bool
	// moveLag is how many assigns an IPv6 address is refused for after it was unassigned.
	moveLag int
	// tables are the route tables; replaceNotFound is the answer to ReplaceRoute
	// of a missing route, nil for what EC2 was seen to say.
	tables          tinyTables
	replaceNotFound error

	mu  sync.Mutex
	lag map[string]int
	log []string // "AssignPrivateIpAddresses eni-a 10.0.1.5 10.0.1.6"
	n   map[string]int
}

type tinyENI struct {
	primary, primary6 string
	addrs             []string // primaries included
	limit             int      // of each family, 0: none
	vpc               string
}

const tinyInUse = "The request could not be met for the address given."

// lock makes a request one step; it returns the end of it.
func (v *tinyVPC) lock() func() {
	v.mu.Lock()
	return v.mu.Unlock
}

func (v *tinyVPC) call(action, eni string, addrs []string) error {
	v.log = append(v.log, strings.TrimSpace(action+" "+eni+" "+strings.Join(addrs, " ")))
	if v.n == nil {
		v.n = map[string]int{}
	}
	v.n[action]++
	if v.fail != nil {
		if err := v.fail(action, v.n[action]); err != nil {
			return err
		}
	}
	if eni != "" && v.enis[eni] == nil {
		return apiError("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '"+eni+"' does not exist")
	}
	for _, a := range addrs {
		if err := v.bad[a]; err != nil && strings.HasPrefix(action, "Assign") {
			return err
		}
	}
	return nil
}

func (v *tinyVPC) owner(a, vpc string) string {
	for id, e := range v.enis {
		if e.vpc == vpc && slices.Contains(e.addrs, a) {
			return id
		}
	}
	return ""
}

// assign is both families' rules; it changes nothing when it refuses.
func (v *tinyVPC) assign(eni string, addrs []string, allow, v6 bool) ([]string, error) {
	e := v.enis[eni]
	var moved, listed, added []string
	for _, a := range addrs {
		own := v.owner(a, e.vpc)
		switch {
		case own == eni && !allow && v.holdRefusesOwn:
			moved = append(moved, a)
		case own == eni:
			if !v.ackOmitsOwn {
				listed = append(listed, a)
			}
		case own != "" && v6:
			return nil, apiError("InvalidParameterValue", tinyInUse)
		case own != "" && v.enis[own].primary == a:
			return nil, apiError("InvalidParameterValue", "secondary-addresses")
		case own != "" && !allow:
			moved = append(moved, a)
		case v6 && v.lag[a] > 0:
			v.lag[a]--
			return nil, apiError("InvalidParameterValue", tinyInUse)
		default:
			listed, added = append(listed, a), append(added, a)
		}
	}
	if len(moved) > 0 {
		return nil, apiError("InvalidParameterValue", "["+strings.Join(moved, ", ")+"] assigned, but move is not allowed.")
	}
	have := 0
	for _, a := range e.addrs {
		if strings.Contains(a, ":") == v6 {
			have++
		}
	}
	if e.limit > 0 && have+len(added) > e.limit {
		return nil, apiError("PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit.")
	}
	for _, a := range added {
		if own := v.owner(a, e.vpc); own != "" {
			v.enis[own].addrs = slices.DeleteFunc(v.enis[own].addrs, func(s string) bool { return s == a })
		}
		e.addrs = append(e.addrs, a)
	}
	if v.ackNothing {
		return nil, nil
	}
	return listed, nil
}

func (v *tinyVPC) AssignPrivateIpAddresses(_ context.Context, in *ec2.AssignPrivateIpAddressesInput, _ ...func(*ec2.Options)) (*ec2.AssignPrivateIpAddressesOutput, error) {
	defer v.lock()()
	if err := v.call("AssignPrivateIpAddresses", *in.NetworkInterfaceId, in.PrivateIpAddresses); err != nil {
		return nil, err
	}
	listed, err := v.assign(*in.NetworkInterfaceId, in.PrivateIpAddresses, aws.ToBool(in.AllowReassignment), false)
	if err != nil {
		return nil, err
	}
	out := &ec2.AssignPrivateIpAddressesOutput{}
	for _, a := range listed {
		out.AssignedPrivateIpAddresses = append(out.AssignedPrivateIpAddresses, types.AssignedPrivateIpAddress{PrivateIpAddress: aws.String(a)})
	}
	return out, nil
}

func (v *tinyVPC) AssignIpv6Addresses(_ context.Context, in *ec2.AssignIpv6AddressesInput, _ ...func(*ec2.Options)) (*ec2.AssignIpv6AddressesOutput, error) {
	defer v.lock()()
	if err := v.call("AssignIpv6Addresses", *in.NetworkInterfaceId, in.Ipv6Addresses); err != nil {
		return nil, err
	}
	listed, err := v.assign(*in.NetworkInterfaceId, in.Ipv6Addresses, false, true)
	if err != nil {
		return nil, err
	}
	return &ec2.AssignIpv6AddressesOutput{AssignedIpv6Addresses: listed}, nil
}

func (v *tinyVPC) unassign(eni string, addrs []string, v6 bool) error {
	e := v.enis[eni]
	for _, a := range addrs {
		switch {
		case a == e.primary || a == e.primary6:
			return apiError("InvalidParameterValue", "The primary IP address of an interface cannot be unassigned")
		case !slices.Contains(e.addrs, a) && v6:
			return apiError("InvalidParameterValue", fmt.Sprintf("The address '%s' is not mapped to interface ID '%s'", a, eni))
		case !slices.Contains(e.addrs, a):
			return apiError("InvalidParameterValue", "Some of the specified addresses are not assigned to interface "+eni)
		}
	}
	e.addrs = slices.DeleteFunc(e.addrs, func(s string) bool { return slices.Contains(addrs, s) })
	for _, a := range addrs {
		if v.lag == nil {
			v.lag = map[string]int{}
		}
		v.lag[a] = v.moveLag
	}
	return nil
}

func (v *tinyVPC) UnassignPrivateIpAddresses(_ context.Context, in *ec2.UnassignPrivateIpAddressesInput, _ ...func(*ec2.Options)) (*ec2.UnassignPrivateIpAddressesOutput, error) {
	defer v.lock()()
	if err := v.call("UnassignPrivateIpAddresses", *in.NetworkInterfaceId, in.PrivateIpAddresses); err != nil {
		return nil, err
	}
	return &ec2.UnassignPrivateIpAddressesOutput{}, v.unassign(*in.NetworkInterfaceId, in.PrivateIpAddresses, false)
}

func (v *tinyVPC) UnassignIpv6Addresses(_ context.Context, in *ec2.UnassignIpv6AddressesInput, _ ...func(*ec2.Options)) (*ec2.UnassignIpv6AddressesOutput, error) {
	defer v.lock()()
	if err := v.call("UnassignIpv6Addresses", *in.NetworkInterfaceId, in.Ipv6Addresses); err != nil {
		return nil, err
	}
	if err := v.unassign(*in.NetworkInterfaceId, in.Ipv6Addresses, true); err != nil {
		return nil, err
	}
	if v.ackNothing {
		return &ec2.UnassignIpv6AddressesOutput{}, nil
	}
	return &ec2.UnassignIpv6AddressesOutput{UnassignedIpv6Addresses: in.Ipv6Addresses}, nil
}

func (v *tinyVPC) DescribeNetworkInterfaces(_ context.Context, in *ec2.DescribeNetworkInterfacesInput, _ ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error) {
	defer v.lock()()
	var words []string
	for _, f := range in.Filters {
		words = append(words, *f.Name+"="+strings.Join(f.Values, ","))
	}
	if err := v.call("DescribeNetworkInterfaces", "", words); err != nil {
		return nil, err
	}
	out := &ec2.DescribeNetworkInterfacesOutput{}
	for id, e := range v.enis {
		if e.matches(id, in.Filters) {
			out.NetworkInterfaces = append(out.NetworkInterfaces, e.describe(id))
		}
	}
	return out, nil
}

func (e *tinyENI) matches(id string, filters []types.Filter) bool {
	for _, f := range filters {
		ok := false
		switch *f.Name {
		case "network-interface-id":
			ok = slices.Contains(f.Values, id)
		case "vpc-id":
			ok = slices.Contains(f.Values, e.vpc)
		case "addresses.private-ip-address", "ipv6-addresses.ipv6-address":
			ok = slices.ContainsFunc(e.addrs, func(a string) bool { return slices.Contains(f.Values, a) })
		default:
			panic("unknown filter " + *f.Name)
		}
		if !ok {
			return false
		}
	}
	return true
}

func (e *tinyENI) describe(id string) types.NetworkInterface {
	n := types.NetworkInterface{
		NetworkInterfaceId: &id, VpcId: &e.vpc, PrivateIpAddress: aws.String(e.primary),
		Attachment: &types.NetworkInterfaceAttachment{DeviceIndex: aws.Int32(1), InstanceId: aws.String("i-" + strings.TrimPrefix(id, "eni-"))},
	}
	for _, a := range e.addrs {
		if netip.MustParseAddr(a).Is4() {
			n.PrivateIpAddresses = append(n.PrivateIpAddresses, types.NetworkInterfacePrivateIpAddress{PrivateIpAddress: aws.String(a), Primary: aws.Bool(a == e.primary)})
			continue
		}
		n.Ipv6Addresses = append(n.Ipv6Addresses, types.NetworkInterfaceIpv6Address{Ipv6Address: aws.String(a), IsPrimaryIpv6: aws.Bool(a == e.primary6)})
	}
	return n
}

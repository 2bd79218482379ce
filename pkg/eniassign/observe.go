// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// Instrument is next with an observer, for metrics. After each request it is
// given the IAM action without "ec2:", the code ("" for success, else EC2's
// error code, else the reason's Code: "EC2Unreachable" …) and how long it took.
// DryRunOperation is how EC2 says that a dry run succeeded, and counts as that.
func Instrument(next EC2, observe func(action, code string, took time.Duration)) EC2 {
	return &observed{next, observe}
}

type observed struct {
	next    EC2
	observe func(action, code string, took time.Duration)
}

func watch[In, Out any](ctx context.Context, o *observed, action string, in In, opts []func(*ec2.Options),
	do func(context.Context, In, ...func(*ec2.Options)) (Out, error),
) (Out, error) {
	start := time.Now()
	out, err := do(ctx, in, opts...)
	o.observe(action, errorCode(err), time.Since(start))
	return out, err
}

// Expired says that an error code of EC2's, as Instrument tells it, is about
// credentials that have run out.
func Expired(code string) bool {
	for _, r := range rules() {
		if r.matches(code, "") {
			return r.code == CredentialsExpired || r.code == RequestExpired
		}
	}
	return false
}

func errorCode(err error) string {
	if err == nil {
		return ""
	}
	v := judge(err, request{})
	switch v.ec2Code {
	case dryRunOperation:
		return ""
	case "":
		return string(v.code)
	}
	return v.ec2Code
}

func (o *observed) AssignPrivateIpAddresses(ctx context.Context, in *ec2.AssignPrivateIpAddressesInput, opts ...func(*ec2.Options)) (*ec2.AssignPrivateIpAddressesOutput, error) {
	return watch(ctx, o, "AssignPrivateIpAddresses", in, opts, o.next.AssignPrivateIpAddresses)
}

func (o *observed) UnassignPrivateIpAddresses(ctx context.Context, in *ec2.UnassignPrivateIpAddressesInput, opts ...func(*ec2.Options)) (*ec2.UnassignPrivateIpAddressesOutput, error) {
	return watch(ctx, o, "UnassignPrivateIpAddresses", in, opts, o.next.UnassignPrivateIpAddresses)
}

func (o *observed) AssignIpv6Addresses(ctx context.Context, in *ec2.AssignIpv6AddressesInput, opts ...func(*ec2.Options)) (*ec2.AssignIpv6AddressesOutput, error) {
	return watch(ctx, o, "AssignIpv6Addresses", in, opts, o.next.AssignIpv6Addresses)
}

func (o *observed) UnassignIpv6Addresses(ctx context.Context, in *ec2.UnassignIpv6AddressesInput, opts ...func(*ec2.Options)) (*ec2.UnassignIpv6AddressesOutput, error) {
	return watch(ctx, o, "UnassignIpv6Addresses", in, opts, o.next.UnassignIpv6Addresses)
}

func (o *observed) DescribeNetworkInterfaces(ctx context.Context, in *ec2.DescribeNetworkInterfacesInput, opts ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error) {
	return watch(ctx, o, "DescribeNetworkInterfaces", in, opts, o.next.DescribeNetworkInterfaces)
}

func (o *observed) ReplaceRoute(ctx context.Context, in *ec2.ReplaceRouteInput, opts ...func(*ec2.Options)) (*ec2.ReplaceRouteOutput, error) {
	return watch(ctx, o, "ReplaceRoute", in, opts, o.next.ReplaceRoute)
}

func (o *observed) CreateRoute(ctx context.Context, in *ec2.CreateRouteInput, opts ...func(*ec2.Options)) (*ec2.CreateRouteOutput, error) {
	return watch(ctx, o, "CreateRoute", in, opts, o.next.CreateRoute)
}

func (o *observed) DeleteRoute(ctx context.Context, in *ec2.DeleteRouteInput, opts ...func(*ec2.Options)) (*ec2.DeleteRouteOutput, error) {
	return watch(ctx, o, "DeleteRoute", in, opts, o.next.DeleteRoute)
}

func (o *observed) DescribeRouteTables(ctx context.Context, in *ec2.DescribeRouteTablesInput, opts ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	return watch(ctx, o, "DescribeRouteTables", in, opts, o.next.DescribeRouteTables)
}

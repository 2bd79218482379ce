// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"
)

// fakeEC2 fails the test on every call that it has no func for.
type fakeEC2 struct {
	EC2       // nil: a route action without a func panics
	t         testing.TB
	assign4   func(*ec2.AssignPrivateIpAddressesInput) (*ec2.AssignPrivateIpAddressesOutput, error)
	unassign4 func(*ec2.UnassignPrivateIpAddressesInput) (*ec2.UnassignPrivateIpAddressesOutput, error)
	assign6   func(*ec2.AssignIpv6AddressesInput) (*ec2.AssignIpv6AddressesOutput, error)
	unassign6 func(*ec2.UnassignIpv6AddressesInput) (*ec2.UnassignIpv6AddressesOutput, error)
	describe  func(*ec2.DescribeNetworkInterfacesInput) (*ec2.DescribeNetworkInterfacesOutput, error)
}

func (f *fakeEC2) AssignPrivateIpAddresses(_ context.Context, in *ec2.AssignPrivateIpAddressesInput, _ ...func(*ec2.Options)) (*ec2.AssignPrivateIpAddressesOutput, error) {
	if f.assign4 == nil {
		f.t.Fatalf("unexpected AssignPrivateIpAddresses %v", in.PrivateIpAddresses)
	}
	return f.assign4(in)
}

func (f *fakeEC2) UnassignPrivateIpAddresses(_ context.Context, in *ec2.UnassignPrivateIpAddressesInput, _ ...func(*ec2.Options)) (*ec2.UnassignPrivateIpAddressesOutput, error) {
	if f.unassign4 == nil {
		f.t.Fatalf("unexpected UnassignPrivateIpAddresses %v", in.PrivateIpAddresses)
	}
	return f.unassign4(in)
}

func (f *fakeEC2) AssignIpv6Addresses(_ context.Context, in *ec2.AssignIpv6AddressesInput, _ ...func(*ec2.Options)) (*ec2.AssignIpv6AddressesOutput, error) {
	if f.assign6 == nil {
		f.t.Fatalf("unexpected AssignIpv6Addresses %v", in.Ipv6Addresses)
	}
	return f.assign6(in)
}

func (f *fakeEC2) UnassignIpv6Addresses(_ context.Context, in *ec2.UnassignIpv6AddressesInput, _ ...func(*ec2.Options)) (*ec2.UnassignIpv6AddressesOutput, error) {
	if f.unassign6 == nil {
		f.t.Fatalf("unexpected UnassignIpv6Addresses %v", in.Ipv6Addresses)
	}
	return f.unassign6(in)
}

func (f *fakeEC2) DescribeNetworkInterfaces(_ context.Context, in *ec2.DescribeNetworkInterfacesInput, _ ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error) {
	if f.describe == nil {
		f.t.Fatalf("unexpected DescribeNetworkInterfaces %v", in.Filters)
	}
	return f.describe(in)
}

// fakeIMDS answers paths from a map; what is not in it is a 404.
type fakeIMDS map[string]string

type notFound struct{}

func (notFound) Error() string       { return "not found" }
func (notFound) HTTPStatusCode() int { return 404 }

func (f fakeIMDS) GetMetadata(ctx context.Context, in *imds.GetMetadataInput, _ ...func(*imds.Options)) (*imds.GetMetadataOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	text, ok := f[in.Path]
	if !ok {
		return nil, fmt.Errorf("get %s: %w", in.Path, notFound{})
	}
	return &imds.GetMetadataOutput{Content: io.NopCloser(strings.NewReader(text))}, nil
}

type failingIMDS struct{ err error }

func (f failingIMDS) GetMetadata(context.Context, *imds.GetMetadataInput, ...func(*imds.Options)) (*imds.GetMetadataOutput, error) {
	return nil, f.err
}

func apiError(code, message string) error {
	return &smithy.GenericAPIError{Code: code, Message: message}
}

// addrs parses addresses: addrs("10.0.1.5 10.0.1.6").
func addrs(s string) []netip.Addr {
	var out []netip.Addr
	for _, f := range strings.Fields(s) {
		out = append(out, netip.MustParseAddr(f))
	}
	return out
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func prefixes(s string) []netip.Prefix {
	var out []netip.Prefix
	for _, f := range strings.Fields(s) {
		out = append(out, netip.MustParsePrefix(f))
	}
	return out
}

// table writes outcomes one a line: address, "ok" or the reason's code, class
// and owner, and "in doubt".
func table(outcomes []Outcome) string {
	var b strings.Builder
	for _, o := range outcomes {
		fmt.Fprint(&b, o.Addr, " ")
		if o.Reason == nil {
			b.WriteString("ok")
		} else {
			fmt.Fprint(&b, o.Reason.Code, " ", o.Reason.Class)
			if o.Reason.Owner != "" {
				fmt.Fprint(&b, " ", o.Reason.Owner)
			}
		}
		if o.InDoubt {
			b.WriteString(" in doubt")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// direct is a transport of its own, whose connections end with the test.
func direct(t testing.TB) http.RoundTripper {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func TestSDKDescribesEverything(t *testing.T) {
	v := newWorld(t)
	c := client(serve(t, v), "AKIDTEST", direct(t))
	out, err := c.DescribeNetworkInterfaces(context.Background(), &ec2.DescribeNetworkInterfacesInput{
		Filters: []types.Filter{
			{Name: aws.String("mac-address"), Values: []string{topology.DeriveMAC("a1"), "02:00:00:00:00:00"}},
			{Name: aws.String("tag:node.k8s.amazonaws.com/no_manage"), Values: []string{"true"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.NetworkInterfaces) != 1 {
		t.Fatalf("got %d ENIs, want 1", len(out.NetworkInterfaces))
	}
	e := out.NetworkInterfaces[0]
	checks := map[string]bool{
		"id":           *e.NetworkInterfaceId == *id("a1"),
		"subnet":       *e.SubnetId == topology.DeriveID("subnet", "sig"),
		"vpc":          *e.VpcId == topology.DeriveID("vpc", "vpc"),
		"zone":         *e.AvailabilityZone == "eu-central-1a",
		"mac":          *e.MacAddress == topology.DeriveMAC("a1"),
		"primary":      *e.PrivateIpAddress == "10.0.1.11" && *e.PrivateIpAddresses[0].PrivateIpAddress == "10.0.1.11" && *e.PrivateIpAddresses[0].Primary,
		"ipv6":         *e.Ipv6Addresses[0].Ipv6Address == "2600:1f14:1:201::11",
		"prefixes":     *e.Ipv4Prefixes[0].Ipv4Prefix == "10.0.1.32/28" && *e.Ipv6Prefixes[0].Ipv6Prefix == "2600:1f14:1:201:1::/80",
		"tags":         *e.TagSet[0].Key == "Name" && *e.TagSet[0].Value == "<a> & b",
		"attachment":   *e.Attachment.DeviceIndex == 1 && *e.Attachment.InstanceId == topology.DeriveID("i", "worker1") && e.Attachment.Status == types.AttachmentStatusAttached,
		"attach time":  time.Since(*e.Attachment.AttachTime) < time.Minute,
		"status":       e.Status == types.NetworkInterfaceStatusInUse,
		"source check": *e.SourceDestCheck,
		"groups":       *e.Groups[0].GroupName == "default",
	}
	for what, ok := range checks {
		if !ok {
			t.Errorf("%s is wrong", what)
		}
	}
	call := v.Calls()[0]
	if call.AccessKey != "AKIDTEST" || call.Params["Filter.1.Name"] != "mac-address" || call.Code != "" || !call.Done {
		t.Errorf("the log says %+v", call)
	}
}

func TestSDKPaginates(t *testing.T) {
	v := newWorld(t)
	c := client(serve(t, v), "AKIDTEST", direct(t))
	p := ec2.NewDescribeNetworkInterfacesPaginator(c, &ec2.DescribeNetworkInterfacesInput{MaxResults: aws.Int32(5)})
	var got []string
	pages := 0
	for p.HasMorePages() {
		out, err := p.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, e := range out.NetworkInterfaces {
			got = append(got, *e.NetworkInterfaceId)
		}
	}
	want := []string{*id("a0"), *id("a1"), *id("b0"), *id("b1"), *id("b2"), *id("b3")}
	if pages != 2 || !slices.Equal(got, want) {
		t.Errorf("got %d pages with %v", pages, got)
	}
}

func TestSDKAssignsAndUnassigns(t *testing.T) {
	v := newWorld(t)
	c := client(serve(t, v), "AKIDTEST", direct(t))
	ctx := context.Background()

	out, err := c.AssignPrivateIpAddresses(ctx, &ec2.AssignPrivateIpAddressesInput{
		NetworkInterfaceId: id("a1"), PrivateIpAddresses: []string{"10.0.1.50", "10.0.1.100"}, AllowReassignment: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.AssignedPrivateIpAddresses) != 2 || *out.AssignedPrivateIpAddresses[1].PrivateIpAddress != "10.0.1.100" || *out.NetworkInterfaceId != *id("a1") {
		t.Errorf("got %+v", out)
	}
	if len(v.Addresses("b1")) != 1 {
		t.Errorf("b1 still has %v", v.Addresses("b1"))
	}
	if _, err := c.UnassignPrivateIpAddresses(ctx, &ec2.UnassignPrivateIpAddressesInput{NetworkInterfaceId: id("a1"), PrivateIpAddresses: []string{"10.0.1.100"}}); err != nil {
		t.Error(err)
	}
	counted, err := c.AssignPrivateIpAddresses(ctx, &ec2.AssignPrivateIpAddressesInput{NetworkInterfaceId: id("a1"), SecondaryPrivateIpAddressCount: aws.Int32(1)})
	if err != nil || len(counted.AssignedPrivateIpAddresses) != 1 {
		t.Errorf("got %+v, %v", counted, err)
	}
	prefixed, err := c.AssignPrivateIpAddresses(ctx, &ec2.AssignPrivateIpAddressesInput{NetworkInterfaceId: id("b1"), Ipv4PrefixCount: aws.Int32(1)})
	if err != nil || len(prefixed.AssignedIpv4Prefixes) != 1 {
		t.Errorf("got %+v, %v", prefixed, err)
	} else if _, err := c.UnassignPrivateIpAddresses(ctx, &ec2.UnassignPrivateIpAddressesInput{NetworkInterfaceId: id("b1"), Ipv4Prefixes: []string{*prefixed.AssignedIpv4Prefixes[0].Ipv4Prefix}}); err != nil {
		t.Error(err)
	}

	six, err := c.AssignIpv6Addresses(ctx, &ec2.AssignIpv6AddressesInput{NetworkInterfaceId: id("a1"), Ipv6Addresses: []string{"2600:1f14:1:201::100"}})
	if err != nil || !slices.Equal(six.AssignedIpv6Addresses, []string{"2600:1f14:1:201::100"}) {
		t.Errorf("got %+v, %v", six, err)
	}
	gone, err := c.UnassignIpv6Addresses(ctx, &ec2.UnassignIpv6AddressesInput{NetworkInterfaceId: id("a1"), Ipv6Addresses: []string{"2600:1f14:1:201::100"}})
	if err != nil || !slices.Equal(gone.UnassignedIpv6Addresses, []string{"2600:1f14:1:201::100"}) {
		t.Errorf("got %+v, %v", gone, err)
	}
	six, err = c.AssignIpv6Addresses(ctx, &ec2.AssignIpv6AddressesInput{NetworkInterfaceId: id("b1"), Ipv6PrefixCount: aws.Int32(1)})
	if err != nil || len(six.AssignedIpv6Prefixes) != 1 {
		t.Errorf("got %+v, %v", six, err)
	}
}

func TestSDKUnderstandsErrors(t *testing.T) {
	v := newWorld(t)
	c := client(serve(t, v), "AKIDTEST", direct(t))
	assign := func(eni *string, addrs ...string) error {
		_, err := c.AssignPrivateIpAddresses(context.Background(), &ec2.AssignPrivateIpAddressesInput{NetworkInterfaceId: eni, PrivateIpAddresses: addrs})
		return err
	}
	wantCode(t, assign(id("a1"), "10.0.1.50"), "InvalidParameterValue", "[10.0.1.50] assigned, but move is not allowed.")
	wantCode(t, assign(id("a1"), "10.0.1.20"), "InvalidParameterValue", "secondary-addresses")
	wantCode(t, assign(id("a1"), "10.0.1"), "InvalidParameterValue", "invalid value for parameter address: 10.0.1")
	wantCode(t, assign(aws.String("eni-0"), "10.0.1.60"), "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID 'eni-0' does not exist")
	wantCode(t, assign(id("a1"), "10.0.1.61", "10.0.1.62", "10.0.1.63", "10.0.1.64", "10.0.1.65"), "PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit.")
	_, err := c.DescribeVpcs(context.Background(), &ec2.DescribeVpcsInput{})
	wantCode(t, err, "InvalidAction", "The action DescribeVpcs is not valid for this web service.")

	for code, status := range map[string]int{"UnauthorizedOperation": 403, "RequestLimitExceeded": 503, "InternalError": 500, "ExpiredToken": 400, "Unavailable": 503} {
		remove := v.Inject(model.Fault{Code: code, Message: "m"})
		err := assign(id("a1"), "10.0.1.60")
		remove()
		wantCode(t, err, code, "m")
		var resp *smithyhttp.ResponseError
		if !errors.As(err, &resp) || resp.HTTPStatusCode() != status {
			t.Errorf("%s came with %v, want status %d", code, err, status)
		}
	}
}

func TestSDKOtherActions(t *testing.T) {
	v := newWorld(t)
	c := client(serve(t, v), "AKIDTEST", direct(t))
	ctx := context.Background()
	sig := aws.String(topology.DeriveID("subnet", "sig"))

	subnets, err := c.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{*sig}})
	if err != nil || *subnets.Subnets[0].CidrBlock != "10.0.1.0/24" || *subnets.Subnets[0].Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock != "2600:1f14:1:201::/64" ||
		subnets.Subnets[0].Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlockState.State != types.SubnetCidrBlockStateCodeAssociated {
		t.Errorf("got %+v, %v", subnets, err)
	}
	kinds, err := c.DescribeInstanceTypes(ctx, &ec2.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{types.InstanceTypeM5Large}})
	if err != nil || *kinds.InstanceTypes[0].NetworkInfo.Ipv4AddressesPerInterface != 10 || *kinds.InstanceTypes[0].NetworkInfo.MaximumNetworkInterfaces != 3 {
		t.Errorf("got %+v, %v", kinds, err)
	}
	if _, err := c.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{*id("b1")}, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}}); err != nil {
		t.Error(err)
	}
	if e, _ := v.ENI("b1"); e.Tags["k"] != "v" {
		t.Errorf("b1 has the tags %v", e.Tags)
	}
	if _, err := c.DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: []string{*id("b1")}, Tags: []types.Tag{{Key: aws.String("k")}}}); err != nil {
		t.Error(err)
	}
	reserved, err := c.CreateSubnetCidrReservation(ctx, &ec2.CreateSubnetCidrReservationInput{
		SubnetId: sig, Cidr: aws.String("10.0.1.96/27"), ReservationType: types.SubnetCidrReservationTypeExplicit, Description: aws.String("pods"),
	})
	if err != nil || *reserved.SubnetCidrReservation.Cidr != "10.0.1.96/27" {
		t.Errorf("got %+v, %v", reserved, err)
	}
	list, err := c.GetSubnetCidrReservations(ctx, &ec2.GetSubnetCidrReservationsInput{SubnetId: sig})
	if err != nil || len(list.SubnetIpv4CidrReservations) != 1 || *list.SubnetIpv4CidrReservations[0].Description != "pods" {
		t.Errorf("got %+v, %v", list, err)
	}

	table := aws.String(topology.DeriveID("rtb", topology.MainRouteTable))
	route := &ec2.CreateRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String("192.0.2.100/32"), NetworkInterfaceId: id("a1")}
	if out, err := c.CreateRoute(ctx, route); err != nil || !*out.Return {
		t.Errorf("got %+v, %v", out, err)
	}
	_, err = c.ReplaceRoute(ctx, &ec2.ReplaceRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String("192.0.2.100/32"), NetworkInterfaceId: id("b1"), DryRun: aws.Bool(true)})
	wantCode(t, err, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
	if _, err = c.ReplaceRoute(ctx, &ec2.ReplaceRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String("192.0.2.100/32"), NetworkInterfaceId: id("b1")}); err != nil {
		t.Error(err)
	}
	tables, err := c.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{})
	if err != nil || len(tables.RouteTables[0].Routes) != 3 || *tables.RouteTables[0].Routes[2].NetworkInterfaceId != *id("b1") || !*tables.RouteTables[0].Associations[0].Main {
		t.Errorf("got %+v, %v", tables, err)
	}
	v.DeleteENI("b1")
	tables, err = c.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{
		Filters: []types.Filter{{Name: aws.String("route-table-id"), Values: []string{*table}}}, MaxResults: aws.Int32(100),
	})
	if err != nil || len(tables.RouteTables) != 1 || tables.RouteTables[0].Routes[2].State != types.RouteStateBlackhole || tables.RouteTables[0].Routes[2].Origin != types.RouteOriginCreateRoute ||
		tables.RouteTables[0].Routes[0].State != types.RouteStateActive || *tables.RouteTables[0].Routes[0].GatewayId != "local" {
		t.Errorf("got %+v, %v", tables, err)
	}
	if _, err := c.DeleteRoute(ctx, &ec2.DeleteRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String("192.0.2.100/32")}); err != nil {
		t.Error(err)
	}
	if _, err := c.ModifyNetworkInterfaceAttribute(ctx, &ec2.ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: id("a1"), SourceDestCheck: &types.AttributeBooleanValue{Value: aws.Bool(false)}}); err != nil {
		t.Error(err)
	}
	attr, err := c.DescribeNetworkInterfaceAttribute(ctx, &ec2.DescribeNetworkInterfaceAttributeInput{NetworkInterfaceId: id("a1"), Attribute: types.NetworkInterfaceAttributeSourceDestCheck})
	if err != nil || *attr.SourceDestCheck.Value {
		t.Errorf("got %+v, %v", attr, err)
	}
}

// closes notes whether the last answer ends its connection.
type closes struct {
	http.RoundTripper
	last bool
}

func (c *closes) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := c.RoundTripper.RoundTrip(r)
	c.last = err == nil && res.Close
	return res, err
}

// TestARefusedCallEndsItsConnection, as at EC2. One that is throttled does not.
func TestARefusedCallEndsItsConnection(t *testing.T) {
	v := newWorld(t)
	tr := &closes{RoundTripper: direct(t)}
	c := client(serve(t, v), "AKIDTEST", tr)
	for _, tt := range []struct {
		address, fault, want string
		closes               bool
	}{
		{"10.0.1.60", "", "", false},
		{"10.0.1.61", model.CodeThrottled, model.CodeThrottled, false},
		{"10.9.9.9", "", "InvalidParameterValue", true},
		{"10.0.1.62", "", "", false},
	} {
		if tt.fault != "" {
			v.Inject(model.Fault{Code: tt.fault, Count: 1})
		}
		_, err := c.AssignPrivateIpAddresses(context.Background(), &ec2.AssignPrivateIpAddressesInput{NetworkInterfaceId: id("a1"), PrivateIpAddresses: []string{tt.address}})
		var api smithy.APIError
		if tt.want == "" && err != nil || tt.want != "" && (!errors.As(err, &api) || api.ErrorCode() != tt.want) || tr.last != tt.closes {
			t.Errorf("%s: %v, want %q; the connection is closed: %t", tt.address, err, tt.want, tr.last)
		}
	}
}

func TestSDKSeesDroppedConnections(t *testing.T) {
	for _, drop := range []model.Drop{model.DropBefore, model.DropAfter} {
		v := newWorld(t)
		c := client(serve(t, v), "AKIDTEST", direct(t))
		v.Inject(model.Fault{Drop: drop, Count: 1})
		_, err := c.AssignPrivateIpAddresses(context.Background(), &ec2.AssignPrivateIpAddressesInput{NetworkInterfaceId: id("a1"), PrivateIpAddresses: []string{"10.0.1.60"}})
		var send *smithyhttp.RequestSendError
		if !errors.As(err, &send) {
			t.Errorf("dropped %s: got %v, want that the connection failed", drop, err)
		}
	}
}

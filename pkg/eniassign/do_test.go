// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/google/go-cmp/cmp"
)

// lines trims a raw string to its non-empty lines.
func lines(s string) string {
	var b strings.Builder
	for l := range strings.Lines(s) {
		if l = strings.TrimSpace(l); l != "" {
			b.WriteString(l + "\n")
		}
	}
	return b.String()
}

// twoENIs: eni-a is ours with the primary 10.0.1.10, eni-b holds 10.0.1.50,
// 10.0.1.51 and the primary 10.0.1.20, and likewise in IPv6.
func twoENIs() *tinyVPC {
	return &tinyVPC{enis: map[string]*tinyENI{
		"eni-a": {vpc: "vpc-1", primary: "10.0.1.10", primary6: "2001:db8::a", addrs: []string{"10.0.1.10", "10.0.1.11", "2001:db8::a", "2001:db8::11"}},
		"eni-b": {vpc: "vpc-1", primary: "10.0.1.20", primary6: "2001:db8::b", addrs: []string{"10.0.1.20", "10.0.1.50", "10.0.1.51", "2001:db8::b", "2001:db8::50", "2001:db8::51"}},
		// Another VPC that uses the same addresses must never be touched.
		"eni-x": {vpc: "vpc-2", primary: "10.0.1.30", primary6: "2001:db8::50", addrs: []string{"10.0.1.30", "10.0.1.31", "2001:db8::50", "2001:db8::31"}},
	}}
}

func TestDo(t *testing.T) {
	about := ENI{ID: "eni-a", VPCID: "vpc-1", Primary: addr("10.0.1.10"), InstanceType: "m5.large"}
	outside := apiError("InvalidParameterValue", "Address does not fall within the subnet's address range")
	denied := apiError("UnauthorizedOperation", "You are not authorized to perform this operation.")
	failDescribe := func(action string, _ int) error {
		if action == "DescribeNetworkInterfaces" {
			return denied
		}
		return nil
	}
	tests := map[string]struct {
		vpc       func(*tinyVPC)
		verb      Verb
		addrs     string
		unknown   bool // nothing is known about the ENI
		want, log string
	}{
		"claim of free and of held addresses is one request": {
			verb: Claim, addrs: "10.0.1.40 10.0.1.50",
			want: `10.0.1.40 ok
				10.0.1.50 ok`,
			log: `AssignPrivateIpAddresses eni-a 10.0.1.40 10.0.1.50`,
		},
		"claim of what is there": {
			verb: Claim, addrs: "10.0.1.11",
			want: `10.0.1.11 ok`,
			log:  `AssignPrivateIpAddresses eni-a 10.0.1.11`,
		},
		"claim of what is there and is not listed": {
			vpc:  func(v *tinyVPC) { v.ackOmitsOwn = true },
			verb: Claim, addrs: "10.0.1.11 10.0.1.40",
			want: `10.0.1.11 ok
				10.0.1.40 ok`,
			log: `AssignPrivateIpAddresses eni-a 10.0.1.11 10.0.1.40
				DescribeNetworkInterfaces  network-interface-id=eni-a`,
		},
		"not listed and not to be looked up": {
			vpc:  func(v *tinyVPC) { v.ackOmitsOwn, v.fail = true, failDescribe },
			verb: Claim, addrs: "10.0.1.11",
			want: `10.0.1.11 EC2NotAcknowledged Transient in doubt`,
			log: `AssignPrivateIpAddresses eni-a 10.0.1.11
				DescribeNetworkInterfaces  network-interface-id=eni-a`,
		},
		"claim of the primary of another ENI": {
			verb: Claim, addrs: "10.0.1.20 10.0.1.40 10.0.1.50",
			want: `10.0.1.20 AddressIsPrimary Permanent eni-b
				10.0.1.40 ok
				10.0.1.50 ok`,
			log: `AssignPrivateIpAddresses eni-a 10.0.1.20 10.0.1.40 10.0.1.50
				DescribeNetworkInterfaces  addresses.private-ip-address=10.0.1.20,10.0.1.40,10.0.1.50 vpc-id=vpc-1
				AssignPrivateIpAddresses eni-a 10.0.1.40 10.0.1.50`,
		},
		"claim of the primary of another ENI without the right to describe": {
			vpc:  func(v *tinyVPC) { v.fail = failDescribe },
			verb: Claim, addrs: "10.0.1.20 10.0.1.40",
			want: `10.0.1.20 AddressIsPrimary Permanent
				10.0.1.40 ok`,
			log: `AssignPrivateIpAddresses eni-a 10.0.1.20 10.0.1.40
				DescribeNetworkInterfaces  addresses.private-ip-address=10.0.1.20,10.0.1.40 vpc-id=vpc-1
				AssignPrivateIpAddresses eni-a 10.0.1.20
				AssignPrivateIpAddresses eni-a 10.0.1.40`,
		},
		"the owner is looked for in our own VPC, which is learnt first": {
			verb: Claim, addrs: "10.0.1.20", unknown: true,
			want: `10.0.1.20 AddressIsPrimary Permanent eni-b`,
			log: `AssignPrivateIpAddresses eni-a 10.0.1.20
				DescribeNetworkInterfaces  network-interface-id=eni-a
				DescribeNetworkInterfaces  addresses.private-ip-address=10.0.1.20 vpc-id=vpc-1`,
		},
		"hold never takes": {
			verb: Hold, addrs: "10.0.1.40 10.0.1.50 10.0.1.51",
			want: `10.0.1.40 ok
				10.0.1.50 AddressContested Contested eni-b
				10.0.1.51 AddressContested Contested eni-b`,
			log: `AssignPrivateIpAddresses eni-a 10.0.1.40 10.0.1.50 10.0.1.51
				DescribeNetworkInterfaces  addresses.private-ip-address=10.0.1.40,10.0.1.50,10.0.1.51 vpc-id=vpc-1
				AssignPrivateIpAddresses eni-a 10.0.1.40`,
		},
		"hold of what is ours is not contested": {
			vpc:  func(v *tinyVPC) { v.holdRefusesOwn = true },
			verb: Hold, addrs: "10.0.1.11",
			want: `10.0.1.11 ok`,
			log: `AssignPrivateIpAddresses eni-a 10.0.1.11
				DescribeNetworkInterfaces  addresses.private-ip-address=10.0.1.11 vpc-id=vpc-1`,
		},
		"hold without the right to describe uses the names in the message": {
			vpc:  func(v *tinyVPC) { v.fail = failDescribe },
			verb: Hold, addrs: "10.0.1.40 10.0.1.41 10.0.1.50",
			want: `10.0.1.40 ok
				10.0.1.41 ok
				10.0.1.50 AddressContested Contested`,
			log: `AssignPrivateIpAddresses eni-a 10.0.1.40 10.0.1.41 10.0.1.50
				DescribeNetworkInterfaces  addresses.private-ip-address=10.0.1.40,10.0.1.41,10.0.1.50 vpc-id=vpc-1
				AssignPrivateIpAddresses eni-a 10.0.1.40 10.0.1.41`,
		},
		"a bad address that is not named is found by halves": {
			vpc:  func(v *tinyVPC) { v.bad = map[string]error{"10.0.1.42": outside} },
			verb: Claim, addrs: "10.0.1.40 10.0.1.41 10.0.1.42 10.0.1.43",
			want: `10.0.1.40 ok
				10.0.1.41 ok
				10.0.1.42 AddressOutsideSubnet Permanent
				10.0.1.43 ok`,
			log: `AssignPrivateIpAddresses eni-a 10.0.1.40 10.0.1.41 10.0.1.42 10.0.1.43
				AssignPrivateIpAddresses eni-a 10.0.1.40 10.0.1.41
				AssignPrivateIpAddresses eni-a 10.0.1.42 10.0.1.43
				AssignPrivateIpAddresses eni-a 10.0.1.42
				AssignPrivateIpAddresses eni-a 10.0.1.43`,
		},
		"a bad address that is named is taken out": {
			vpc: func(v *tinyVPC) {
				v.bad = map[string]error{"10.0.1.42": apiError("InvalidParameterValue", "Address 10.0.1.42 is in subnet's reserved address range")}
			},
			verb: Claim, addrs: "10.0.1.40 10.0.1.41 10.0.1.42 10.0.1.43",
			want: `10.0.1.40 ok
				10.0.1.41 ok
				10.0.1.42 AddressReserved Permanent
				10.0.1.43 ok`,
			log: `AssignPrivateIpAddresses eni-a 10.0.1.40 10.0.1.41 10.0.1.42 10.0.1.43
				AssignPrivateIpAddresses eni-a 10.0.1.40 10.0.1.41 10.0.1.43`,
		},
		"a message that names the whole batch condemns nobody": {
			vpc: func(v *tinyVPC) {
				v.bad = map[string]error{"10.0.1.41": apiError("InvalidParameterValue", "Bad value for [10.0.1.40, 10.0.1.41]")}
			},
			verb: Claim, addrs: "10.0.1.40 10.0.1.41",
			want: `10.0.1.40 ok
				10.0.1.41 UnknownRefusal Permanent`,
			log: `AssignPrivateIpAddresses eni-a 10.0.1.40 10.0.1.41
				AssignPrivateIpAddresses eni-a 10.0.1.40
				AssignPrivateIpAddresses eni-a 10.0.1.41`,
		},
		"throttled in the middle of a split": {
			vpc: func(v *tinyVPC) {
				v.bad = map[string]error{"10.0.1.43": outside}
				v.fail = func(_ string, n int) error {
					if n == 3 {
						return apiError("RequestLimitExceeded", "Request limit exceeded.")
					}
					return nil
				}
			},
			verb: Claim, addrs: "10.0.1.40 10.0.1.41 10.0.1.42 10.0.1.43",
			want: `10.0.1.40 ok
				10.0.1.41 ok
				10.0.1.42 EC2Throttled Transient
				10.0.1.43 EC2Throttled Transient`,
			log: `AssignPrivateIpAddresses eni-a 10.0.1.40 10.0.1.41 10.0.1.42 10.0.1.43
				AssignPrivateIpAddresses eni-a 10.0.1.40 10.0.1.41
				AssignPrivateIpAddresses eni-a 10.0.1.42 10.0.1.43`,
		},
		"no right is not split": {
			vpc:  func(v *tinyVPC) { v.fail = func(string, int) error { return denied } },
			verb: Claim, addrs: "10.0.1.40 10.0.1.41",
			want: `10.0.1.40 NotAuthorized Denied
				10.0.1.41 NotAuthorized Denied`,
			log: `AssignPrivateIpAddresses eni-a 10.0.1.40 10.0.1.41`,
		},
		"a full ENI takes what fits, and has what it has": {
			vpc:  func(v *tinyVPC) { v.enis["eni-a"].limit = 4 },
			verb: Claim, addrs: "10.0.1.11 10.0.1.40 10.0.1.41 10.0.1.42",
			want: `10.0.1.11 ok
				10.0.1.40 ok
				10.0.1.41 ok
				10.0.1.42 ENIFull Permanent`,
			log: `AssignPrivateIpAddresses eni-a 10.0.1.11 10.0.1.40 10.0.1.41 10.0.1.42
				DescribeNetworkInterfaces  network-interface-id=eni-a
				AssignPrivateIpAddresses eni-a 10.0.1.40 10.0.1.41 10.0.1.42
				AssignPrivateIpAddresses eni-a 10.0.1.40
				AssignPrivateIpAddresses eni-a 10.0.1.41 10.0.1.42
				AssignPrivateIpAddresses eni-a 10.0.1.41
				AssignPrivateIpAddresses eni-a 10.0.1.42`,
		},
		"once full, nothing more is tried": {
			vpc:  func(v *tinyVPC) { v.enis["eni-a"].limit = 2 },
			verb: Claim, addrs: "10.0.1.40 10.0.1.41 10.0.1.42 10.0.1.43",
			want: `10.0.1.40 ENIFull Permanent
				10.0.1.41 ENIFull Permanent
				10.0.1.42 ENIFull Permanent
				10.0.1.43 ENIFull Permanent`,
			log: `AssignPrivateIpAddresses eni-a 10.0.1.40 10.0.1.41 10.0.1.42 10.0.1.43
				DescribeNetworkInterfaces  network-interface-id=eni-a
				AssignPrivateIpAddresses eni-a 10.0.1.40 10.0.1.41
				AssignPrivateIpAddresses eni-a 10.0.1.40`,
		},
		"IPv6 claim of a free address is one request": {
			verb: Claim, addrs: "2001:db8::40",
			want: `2001:db8::40 ok`,
			log:  `AssignIpv6Addresses eni-a 2001:db8::40`,
		},
		"IPv6 claim moves from the owner in our VPC": {
			vpc:  func(v *tinyVPC) { v.moveLag = 3 },
			verb: Claim, addrs: "2001:db8::40 2001:db8::50 2001:db8::51",
			want: `2001:db8::40 ok
				2001:db8::50 ok
				2001:db8::51 ok`,
			log: `AssignIpv6Addresses eni-a 2001:db8::40 2001:db8::50 2001:db8::51
				DescribeNetworkInterfaces  ipv6-addresses.ipv6-address=2001:db8::40,2001:db8::50,2001:db8::51 vpc-id=vpc-1
				UnassignIpv6Addresses eni-b 2001:db8::50 2001:db8::51
				AssignIpv6Addresses eni-a 2001:db8::50 2001:db8::51
				AssignIpv6Addresses eni-a 2001:db8::50 2001:db8::51
				AssignIpv6Addresses eni-a 2001:db8::50 2001:db8::51
				AssignIpv6Addresses eni-a 2001:db8::50 2001:db8::51
				AssignIpv6Addresses eni-a 2001:db8::50 2001:db8::51
				AssignIpv6Addresses eni-a 2001:db8::50 2001:db8::51
				AssignIpv6Addresses eni-a 2001:db8::50
				AssignIpv6Addresses eni-a 2001:db8::51
				AssignIpv6Addresses eni-a 2001:db8::40`,
		},
		"IPv6 claim whose owner lets go between the refusal and the look-up": {
			vpc: func(v *tinyVPC) {
				v.fail = func(action string, _ int) error {
					if action == "DescribeNetworkInterfaces" {
						v.enis["eni-b"].addrs = addrsWithout(v.enis["eni-b"].addrs, "2001:db8::51")
					}
					return nil
				}
			},
			verb: Claim, addrs: "2001:db8::51",
			want: `2001:db8::51 ok`,
			log: `AssignIpv6Addresses eni-a 2001:db8::51
				DescribeNetworkInterfaces  ipv6-addresses.ipv6-address=2001:db8::51 vpc-id=vpc-1
				AssignIpv6Addresses eni-a 2001:db8::51`,
		},
		"hold whose rival lets go between the refusal and the look-up": {
			vpc: func(v *tinyVPC) {
				v.fail = func(action string, _ int) error {
					if action == "DescribeNetworkInterfaces" {
						v.enis["eni-b"].addrs = addrsWithout(v.enis["eni-b"].addrs, "10.0.1.51")
					}
					return nil
				}
			},
			verb: Hold, addrs: "10.0.1.51",
			want: `10.0.1.51 ok`,
			log: `AssignPrivateIpAddresses eni-a 10.0.1.51
				DescribeNetworkInterfaces  addresses.private-ip-address=10.0.1.51 vpc-id=vpc-1
				AssignPrivateIpAddresses eni-a 10.0.1.51`,
		},
		"IPv6 claim never takes a primary, nor from ourselves": {
			verb: Claim, addrs: "2001:db8::11 2001:db8::b 2001:db8::51",
			want: `2001:db8::11 ok
				2001:db8::b AddressIsPrimary Permanent eni-b
				2001:db8::51 ok`,
			log: `AssignIpv6Addresses eni-a 2001:db8::11 2001:db8::b 2001:db8::51
				DescribeNetworkInterfaces  ipv6-addresses.ipv6-address=2001:db8::11,2001:db8::b,2001:db8::51 vpc-id=vpc-1
				UnassignIpv6Addresses eni-b 2001:db8::51
				AssignIpv6Addresses eni-a 2001:db8::51`,
		},
		"IPv6 claim of an address that EC2 does not let go of": {
			vpc:  func(v *tinyVPC) { v.moveLag = 100 },
			verb: Claim, addrs: "2001:db8::51",
			want: `2001:db8::51 AddressContested Transient eni-b`,
			log: `AssignIpv6Addresses eni-a 2001:db8::51
				DescribeNetworkInterfaces  ipv6-addresses.ipv6-address=2001:db8::51 vpc-id=vpc-1
				UnassignIpv6Addresses eni-b 2001:db8::51
				AssignIpv6Addresses eni-a 2001:db8::51
				AssignIpv6Addresses eni-a 2001:db8::51
				AssignIpv6Addresses eni-a 2001:db8::51
				AssignIpv6Addresses eni-a 2001:db8::51
				AssignIpv6Addresses eni-a 2001:db8::51
				AssignIpv6Addresses eni-a 2001:db8::51
				DescribeNetworkInterfaces  ipv6-addresses.ipv6-address=2001:db8::51 vpc-id=vpc-1
				AssignIpv6Addresses eni-b 2001:db8::51`,
		},
		"IPv6 claim without the right to unassign": {
			vpc: func(v *tinyVPC) {
				v.fail = func(action string, _ int) error {
					if action == "UnassignIpv6Addresses" {
						return denied
					}
					return nil
				}
			},
			verb: Claim, addrs: "2001:db8::40 2001:db8::51",
			want: `2001:db8::40 ok
				2001:db8::51 NotAuthorized Denied eni-b`,
			log: `AssignIpv6Addresses eni-a 2001:db8::40 2001:db8::51
				DescribeNetworkInterfaces  ipv6-addresses.ipv6-address=2001:db8::40,2001:db8::51 vpc-id=vpc-1
				UnassignIpv6Addresses eni-b 2001:db8::51
				AssignIpv6Addresses eni-a 2001:db8::40`,
		},
		"IPv6 claim without the right to describe": {
			vpc:  func(v *tinyVPC) { v.fail = failDescribe },
			verb: Claim, addrs: "2001:db8::40 2001:db8::51",
			want: `2001:db8::40 ok
				2001:db8::51 AddressContested Denied in doubt`,
			log: `AssignIpv6Addresses eni-a 2001:db8::40 2001:db8::51
				DescribeNetworkInterfaces  ipv6-addresses.ipv6-address=2001:db8::40,2001:db8::51 vpc-id=vpc-1
				AssignIpv6Addresses eni-a 2001:db8::40
				AssignIpv6Addresses eni-a 2001:db8::51`,
		},
		"IPv6 claim on a full ENI gives back what it took": {
			vpc:  func(v *tinyVPC) { v.enis["eni-a"].limit = 3 },
			verb: Claim, addrs: "2001:db8::50 2001:db8::51",
			want: `2001:db8::50 ok
				2001:db8::51 ENIFull Permanent`,
			log: `AssignIpv6Addresses eni-a 2001:db8::50 2001:db8::51
				DescribeNetworkInterfaces  ipv6-addresses.ipv6-address=2001:db8::50,2001:db8::51 vpc-id=vpc-1
				UnassignIpv6Addresses eni-b 2001:db8::50 2001:db8::51
				AssignIpv6Addresses eni-a 2001:db8::50 2001:db8::51
				DescribeNetworkInterfaces  network-interface-id=eni-a
				AssignIpv6Addresses eni-a 2001:db8::50
				AssignIpv6Addresses eni-a 2001:db8::51
				AssignIpv6Addresses eni-b 2001:db8::51`,
		},
		"IPv6 claim that is throttled in the middle of a move": {
			vpc: func(v *tinyVPC) {
				v.fail = func(action string, n int) error {
					if action == "AssignIpv6Addresses" && n > 1 {
						return apiError("RequestLimitExceeded", "")
					}
					return nil
				}
			},
			verb: Claim, addrs: "2001:db8::40 2001:db8::50",
			want: `2001:db8::40 EC2Throttled Transient
				2001:db8::50 EC2Throttled Transient`,
			log: `AssignIpv6Addresses eni-a 2001:db8::40 2001:db8::50
				DescribeNetworkInterfaces  ipv6-addresses.ipv6-address=2001:db8::40,2001:db8::50 vpc-id=vpc-1
				UnassignIpv6Addresses eni-b 2001:db8::50
				AssignIpv6Addresses eni-a 2001:db8::50`,
		},
		"IPv6 hold never takes": {
			verb: Hold, addrs: "2001:db8::40 2001:db8::51",
			want: `2001:db8::40 ok
				2001:db8::51 AddressContested Contested eni-b`,
			log: `AssignIpv6Addresses eni-a 2001:db8::40 2001:db8::51
				DescribeNetworkInterfaces  ipv6-addresses.ipv6-address=2001:db8::40,2001:db8::51 vpc-id=vpc-1
				AssignIpv6Addresses eni-a 2001:db8::40`,
		},
		"IPv6 range is not looked up": {
			vpc:  func(v *tinyVPC) { v.bad = map[string]error{"2001:db8:1::1": outside} },
			verb: Claim, addrs: "2001:db8:1::1",
			want: `2001:db8:1::1 AddressOutsideSubnet Permanent`,
			log:  `AssignIpv6Addresses eni-a 2001:db8:1::1`,
		},
		"release": {
			verb: Release, addrs: "10.0.1.11",
			want: `10.0.1.11 ok`,
			log:  `UnassignPrivateIpAddresses eni-a 10.0.1.11`,
		},
		"release of what is not there": {
			verb: Release, addrs: "10.0.1.50",
			want: `10.0.1.50 ok`,
			log:  `UnassignPrivateIpAddresses eni-a 10.0.1.50`,
		},
		"release of some that are not there": {
			verb: Release, addrs: "10.0.1.11 10.0.1.50 10.0.1.51",
			want: `10.0.1.11 ok
				10.0.1.50 ok
				10.0.1.51 ok`,
			log: `UnassignPrivateIpAddresses eni-a 10.0.1.11 10.0.1.50 10.0.1.51
				DescribeNetworkInterfaces  network-interface-id=eni-a
				UnassignPrivateIpAddresses eni-a 10.0.1.11`,
		},
		"release of some that are not there without the right to describe": {
			vpc:  func(v *tinyVPC) { v.fail = failDescribe },
			verb: Release, addrs: "10.0.1.11 10.0.1.50",
			want: `10.0.1.11 ok
				10.0.1.50 ok`,
			log: `UnassignPrivateIpAddresses eni-a 10.0.1.11 10.0.1.50
				DescribeNetworkInterfaces  network-interface-id=eni-a
				UnassignPrivateIpAddresses eni-a 10.0.1.11
				UnassignPrivateIpAddresses eni-a 10.0.1.50`,
		},
		"release of a known primary is not sent": {
			verb: Release, addrs: "10.0.1.10",
			want: `10.0.1.10 AddressIsPrimary Permanent eni-a`,
		},
		"release of an unknown primary is survived": {
			verb: Release, addrs: "10.0.1.10 10.0.1.11", unknown: true,
			want: `10.0.1.10 AddressIsPrimary Permanent eni-a
				10.0.1.11 ok`,
			log: `UnassignPrivateIpAddresses eni-a 10.0.1.10 10.0.1.11
				DescribeNetworkInterfaces  network-interface-id=eni-a
				UnassignPrivateIpAddresses eni-a 10.0.1.11`,
		},
		"release from an ENI that is gone": {
			vpc:  func(v *tinyVPC) { delete(v.enis, "eni-a") },
			verb: Release, addrs: "10.0.1.11 10.0.1.12",
			want: `10.0.1.11 ok
				10.0.1.12 ok`,
			log: `UnassignPrivateIpAddresses eni-a 10.0.1.11 10.0.1.12`,
		},
		"claim on an ENI that is gone": {
			vpc:  func(v *tinyVPC) { delete(v.enis, "eni-a") },
			verb: Claim, addrs: "10.0.1.11 10.0.1.12",
			want: `10.0.1.11 ENINotFound Gone
				10.0.1.12 ENINotFound Gone`,
			log: `AssignPrivateIpAddresses eni-a 10.0.1.11 10.0.1.12`,
		},
		"IPv6 release of some that are not there, which are named": {
			verb: Release, addrs: "2001:db8::11 2001:db8::50",
			want: `2001:db8::11 ok
				2001:db8::50 ok`,
			log: `UnassignIpv6Addresses eni-a 2001:db8::11 2001:db8::50
				UnassignIpv6Addresses eni-a 2001:db8::11`,
		},
		"IPv6 release without an acknowledgement": {
			vpc:  func(v *tinyVPC) { v.ackNothing = true },
			verb: Release, addrs: "2001:db8::11",
			want: `2001:db8::11 EC2NotAcknowledged Transient in doubt`,
			log:  `UnassignIpv6Addresses eni-a 2001:db8::11`,
		},
		"what is not acknowledged is looked up each time": {
			vpc:  func(v *tinyVPC) { v.ackNothing, v.enis["eni-a"].limit = true, 3 },
			verb: Claim, addrs: "10.0.1.40 10.0.1.41",
			want: `10.0.1.40 ok
				10.0.1.41 ENIFull Permanent`,
			log: `AssignPrivateIpAddresses eni-a 10.0.1.40 10.0.1.41
				DescribeNetworkInterfaces  network-interface-id=eni-a
				AssignPrivateIpAddresses eni-a 10.0.1.40
				DescribeNetworkInterfaces  network-interface-id=eni-a
				AssignPrivateIpAddresses eni-a 10.0.1.41`,
		},
		"a timeout is in doubt": {
			vpc: func(v *tinyVPC) {
				v.fail = func(string, int) error { return &net.OpError{Op: "read", Err: context.DeadlineExceeded} }
			},
			verb: Claim, addrs: "10.0.1.40",
			want: `10.0.1.40 EC2NoAnswer Transient in doubt`,
			log:  `AssignPrivateIpAddresses eni-a 10.0.1.40`,
		},
		"a refused connection is not in doubt": {
			vpc: func(v *tinyVPC) {
				v.fail = func(string, int) error { return &net.OpError{Op: "dial", Err: errors.New("connection refused")} }
			},
			verb: Release, addrs: "10.0.1.40",
			want: `10.0.1.40 EC2Unreachable Transient`,
			log:  `UnassignPrivateIpAddresses eni-a 10.0.1.40`,
		},
		"addresses of the other family are not sent": {
			verb: Claim, addrs: "10.0.1.40 2001:db8::1 ::ffff:10.0.0.1",
			want: `10.0.1.40 ok
				2001:db8::1 AddressInvalid Permanent
				::ffff:10.0.0.1 AddressInvalid Permanent`,
			log: `AssignPrivateIpAddresses eni-a 10.0.1.40`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				vpc := twoENIs()
				if tt.vpc != nil {
					tt.vpc(vpc)
				}
				call := Call{Verb: tt.verb, ENI: "eni-a", Addrs: addrs(tt.addrs), About: about}
				call.Family = FamilyOf(call.Addrs[0])
				if tt.unknown {
					call.About = ENI{}
				}
				got := (&Client{EC2: vpc}).Do(t.Context(), call)
				if diff := cmp.Diff(lines(tt.want), table(got)); diff != "" {
					t.Errorf("outcomes (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(lines(tt.log), lines(strings.Join(vpc.log, "\n"))); diff != "" {
					t.Errorf("requests (-want +got):\n%s", diff)
				}
				for _, o := range got {
					if o.Reason != nil {
						t.Log(o.Reason)
					}
				}
			})
		})
	}
}

func TestDoSendsNothingWhenCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := (&Client{EC2: &fakeEC2{t: t}}).Do(ctx, Call{Verb: Claim, ENI: "eni-a", Family: IPv4, Addrs: addrs("10.0.1.40")})
	if diff := cmp.Diff("10.0.1.40 RequestCanceled Transient\n", table(got)); diff != "" {
		t.Error(diff)
	}
}

func TestDoAsksForReassignmentOnlyToClaim(t *testing.T) {
	for verb, want := range map[Verb]bool{Claim: true, Hold: false} {
		fake := &fakeEC2{t: t}
		fake.assign4 = func(in *ec2.AssignPrivateIpAddressesInput) (*ec2.AssignPrivateIpAddressesOutput, error) {
			if *in.AllowReassignment != want {
				t.Errorf("verb %d: AllowReassignment = %v, want %v", verb, *in.AllowReassignment, want)
			}
			return nil, apiError("RequestLimitExceeded", "")
		}
		(&Client{EC2: fake}).Do(t.Context(), Call{Verb: verb, ENI: "eni-a", Family: IPv4, Addrs: addrs("10.0.1.40")})
	}
}

// TestMoveIsEnded: where the last request went into taking an address away,
// there is one more to assign it.
func TestMoveIsEnded(t *testing.T) {
	vpc := twoENIs()
	vpc.fail = func(action string, n int) error {
		if action == "UnassignIpv6Addresses" && n == 1 {
			vpc.enis["eni-b"].addrs = addrsWithout(vpc.enis["eni-b"].addrs, "2001:db8::50")
		}
		return nil
	}
	got := (&Client{EC2: vpc}).do(t.Context(), Call{
		Verb: Claim, ENI: "eni-a", Family: IPv6, Addrs: addrs("2001:db8::50 2001:db8::51"), About: ENI{VPCID: "vpc-1"},
	}, newBudget(5), nil)
	if diff := cmp.Diff("2001:db8::50 ok\n2001:db8::51 ok\n", table(got)); diff != "" {
		t.Errorf("%s\n%s", diff, strings.Join(vpc.log, "\n"))
	}
}

// TestUrgentMoveIsEnded: as above, urgently, whether the owner is remembered or not.
func TestUrgentMoveIsEnded(t *testing.T) {
	both := addrs("2001:db8::50 2001:db8::51")
	for name, owners := range map[string]map[netip.Addr]string{
		"looked up":  nil,
		"remembered": {both[0]: "eni-b", both[1]: "eni-b"},
	} {
		t.Run(name, func(t *testing.T) {
			vpc := twoENIs()
			vpc.fail = func(action string, n int) error {
				if action == "UnassignIpv6Addresses" && n == 1 {
					vpc.enis["eni-b"].addrs = addrsWithout(vpc.enis["eni-b"].addrs, "2001:db8::50")
				}
				return nil
			}
			got := (&Client{EC2: vpc}).Do(t.Context(), Call{
				Verb: Claim, ENI: "eni-a", Family: IPv6, Addrs: both, About: ENI{VPCID: "vpc-1"}, Urgent: true, Owners: owners,
			})
			if diff := cmp.Diff("2001:db8::50 ok\n2001:db8::51 ok\n", table(got)); diff != "" {
				t.Errorf("%s\n%s", diff, strings.Join(vpc.log, "\n"))
			}
		})
	}
}

// TestUrgentMoveIsLostToAnother: a third one has the address between the unassign
// and the assign. It is not taken from that one, too.
func TestUrgentMoveIsLostToAnother(t *testing.T) {
	for name, owners := range map[string]map[netip.Addr]string{
		"looked up":  nil,
		"remembered": {addr("2001:db8::50"): "eni-b"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				vpc := twoENIs()
				vpc.enis["eni-c"] = &tinyENI{vpc: "vpc-1"}
				vpc.fail = func(action string, _ int) error {
					if action == "AssignIpv6Addresses" && vpc.owner("2001:db8::50", "vpc-1") == "" {
						vpc.enis["eni-c"].addrs = []string{"2001:db8::50"}
					}
					return nil
				}
				got := (&Client{EC2: vpc}).Do(t.Context(), Call{
					Verb: Claim, ENI: "eni-a", Family: IPv6, Addrs: addrs("2001:db8::50"), About: ENI{VPCID: "vpc-1"}, Urgent: true, Owners: owners,
				})
				if diff := cmp.Diff("2001:db8::50 AddressContested Transient eni-b\n", table(got)); diff != "" {
					t.Errorf("%s\n%s", diff, strings.Join(vpc.log, "\n"))
				}
				if vpc.owner("2001:db8::50", "vpc-1") != "eni-c" || vpc.n["UnassignIpv6Addresses"] != 1 || vpc.n["DescribeNetworkInterfaces"] > 2 {
					t.Errorf("it was fought for:\n%s", strings.Join(vpc.log, "\n"))
				}
			})
		})
	}
}

func addrsWithout(all []string, gone string) []string {
	return slices.DeleteFunc(all, func(a string) bool { return a == gone })
}

func BenchmarkDo(b *testing.B) {
	c := &Client{EC2: NewEC2(testConfig(answer(200, assigned)))}
	call := Call{Verb: Claim, ENI: "eni-a", Family: IPv4, Addrs: addrs("10.0.1.40")}
	for b.Loop() {
		if o := c.Do(b.Context(), call); o[0].Reason != nil {
			b.Fatal(o[0].Reason)
		}
	}
}

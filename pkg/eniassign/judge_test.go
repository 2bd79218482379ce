// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestJudge has a line for every row of the table of EC2's errors.
func TestJudge(t *testing.T) {
	const invalid = "InvalidParameterValue"
	assign := request{action: "AssignPrivateIpAddresses", verb: Claim, family: IPv4, eni: "eni-a"}
	assign6 := request{action: "AssignIpv6Addresses", verb: Claim, family: IPv6, eni: "eni-a"}
	release := request{action: "UnassignPrivateIpAddresses", verb: Release, family: IPv4, eni: "eni-a"}
	tests := []struct {
		code, text string
		req        request
		want       Code
		class      Class
		scope      scope
	}{
		{"RequestLimitExceeded", "Request limit exceeded.", assign, EC2Throttled, Transient, wholeRequest},
		{"Throttling", "Rate exceeded", assign, EC2Throttled, Transient, wholeRequest},
		{"ThrottlingException", "Rate exceeded", assign6, EC2Throttled, Transient, wholeRequest},
		{"EC2ThrottledException", "", assign, EC2Throttled, Transient, wholeRequest},
		{"InternalError", "An internal error has occurred", assign, EC2Unavailable, Transient, wholeRequest},
		{"Unavailable", "The service is unavailable", assign, EC2Unavailable, Transient, wholeRequest},
		{"PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit.", assign, ENIFull, Permanent, eniFull},
		{invalid, "Number of private addresses will exceed limit.", assign6, ENIFull, Permanent, eniFull},
		{invalid, "[10.0.1.5] assigned, but move is not allowed.", assign, AddressContested, Contested, maybeOwned},
		{"InvalidIPAddress.InUse", "The specified address is already in use.", assign6, AddressContested, Contested, maybeOwned},
		{invalid, "secondary-addresses", assign, AddressIsPrimary, Permanent, maybeOwned},
		{invalid, "Address does not fall within the subnet's address range", assign, AddressOutsideSubnet, Permanent, oneAddress},
		{invalid, "Address does not fall within the subnet's address range", assign6, AddressOutsideSubnet, Permanent, oneAddress},
		{invalid, "Address 10.0.1.1 is in subnet's reserved address range", assign, AddressReserved, Permanent, oneAddress},
		{invalid, "The address is in a prefix of another interface", assign, AddressInOtherPrefix, Permanent, inPrefix},
		{invalid, "The address is in a prefix of another interface", assign6, AddressInOtherPrefix, Permanent, maybeOwned},
		{"Ipv6AddressLimitExceeded", "", assign6, ENIFull, Permanent, eniFull},
		{"InterfaceIpv6LimitExceeded", "", assign6, ENIFull, Permanent, eniFull},
		{"AddressesPerInterfaceLimitExceeded", "", assign6, ENIFull, Permanent, eniFull},
		{invalid, "The number of IPv6 addresses exceeds the limit of the instance type", assign6, ENIFull, Permanent, eniFull},
		{invalid, "The maximum number of IPv6 addresses has been reached", assign6, ENIFull, Permanent, eniFull},
		{"FilterLimitExceeded", "The maximum number of filter values specified on a single call is 200", request{action: "DescribeNetworkInterfaces"}, UnknownRefusal, Permanent, oneAddress},
		{invalid, "Some of the specified addresses are not assigned to interface eni-a", release, UnknownRefusal, Permanent, notThere},
		{invalid, "The address '2001:db8::1' is not mapped to interface ID 'eni-a'", release, UnknownRefusal, Permanent, notThere},
		{"InvalidNetworkInterfaceID.NotFound", "The address '2001:db8::1' is not mapped to interface ID 'eni-a'", release, UnknownRefusal, Permanent, notThere},
		{"SomethingElse", "The address '2001:db8::1' is not mapped to interface ID 'eni-a'", release, UnknownRefusal, Permanent, notThere},
		{invalid, "The primary IP address of an interface cannot be unassigned", release, AddressIsPrimary, Permanent, oneAddress},
		{"InsufficientFreeAddressesInSubnet", "", assign, SubnetFull, Cooldown, wholeRequest},
		{"InsufficientCidrBlocks", "The specified subnet does not have enough free cidr blocks", assign, SubnetFull, Cooldown, wholeRequest},
		{invalid, "There aren't sufficient free Ipv4 addresses or prefixes", assign, SubnetFull, Cooldown, wholeRequest},
		{"InvalidNetworkInterfaceID.NotFound", "", assign, ENINotFound, Gone, wholeRequest},
		{"InvalidNetworkInterfaceID.NotFound", "", release, ENINotFound, Gone, allGone},
		{"IncorrectState", "", assign, ENINotReady, Transient, wholeRequest},
		{"UnauthorizedOperation", "", assign, NotAuthorized, Denied, wholeRequest},
		{"Client.UnauthorizedOperation", "", assign6, NotAuthorized, Denied, wholeRequest},
		{"AccessDenied", "", assign, NotAuthorized, Denied, wholeRequest},
		{"OptInRequired", "", assign, NotAuthorized, Denied, wholeRequest},
		{"AuthFailure", "AWS was not able to validate the provided access credentials", assign, CredentialsInvalid, Denied, wholeRequest},
		{"InvalidClientTokenId", "", assign6, CredentialsInvalid, Denied, wholeRequest},
		{"ExpiredToken", "", assign, CredentialsExpired, Transient, wholeRequest},
		{"ExpiredTokenException", "", assign, CredentialsExpired, Transient, wholeRequest},
		{"RequestExpired", "Request has expired.", assign, RequestExpired, Transient, wholeRequest},
		{"RequestTimeTooSkewed", "", assign, ClockSkew, Denied, wholeRequest},
		{"InvalidNetworkInterfaceId.Malformed", "", assign, UnknownRefusal, Permanent, wholeRequest},
		{"UnsupportedOperation", "", assign, UnknownRefusal, Permanent, wholeRequest},
		{"UnsupportedOperation", "", assign6, UnknownRefusal, Permanent, maybeOwned},
		{invalid, "Some new text", assign, UnknownRefusal, Permanent, oneAddress},
		{invalid, "Some new text", assign6, UnknownRefusal, Permanent, maybeOwned},
		{"BrandNew", "", assign, UnknownRefusal, Permanent, oneAddress},
	}
	for _, tt := range tests {
		v := judge(apiError(tt.code, tt.text), tt.req)
		if v.code != tt.want || v.class != tt.class || v.scope != tt.scope {
			t.Errorf("%s %q: got %s %s scope %d, want %s %s scope %d", tt.code, tt.text, v.code, v.class, v.scope, tt.want, tt.class, tt.scope)
		}
		why := v.reason(addr("10.0.1.5"))
		if why.Text == "" || why.Class != Transient && why.Cure == "" && v.scope != notThere {
			t.Errorf("%s %q: no text or no cure: %+v", tt.code, tt.text, why)
		}
		if why.EC2Code != strings.TrimPrefix(tt.code, "Client.") {
			t.Errorf("%s: EC2Code = %q", tt.code, why.EC2Code)
		}
	}
}

func TestReasonOfMissingRight(t *testing.T) {
	v := judge(apiError("UnauthorizedOperation", "You are not authorized to perform this operation. User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: "+
		"ec2:AssignPrivateIpAddresses on resource: arn:x because no identity-based policy allows it. Encoded authorization failure message: "+strings.Repeat("Ab9", 400)),
		request{action: "AssignPrivateIpAddresses", verb: Claim, family: IPv4, eni: "eni-a"})
	got := v.reason(addr("10.0.1.5")).String()
	if strings.Contains(got, "Encoded") || strings.Contains(got, "Ab9") || len(got) > 600 {
		t.Errorf("the encoded message was not trimmed: %s", got)
	}
	for _, want := range []string{"10.0.1.5", "eni-a", "Allow ec2:AssignPrivateIpAddresses in"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in: %s", want, got)
		}
	}
}

func TestAddressesIn(t *testing.T) {
	tests := map[string]string{
		"":          "",
		"eni-0abc":  "",
		"10.0.1.50": "10.0.1.50",
		"[10.0.1.5, 10.0.1.6] assigned, but move is not allowed.":                "10.0.1.5 10.0.1.6",
		"The address '2001:db8::1' is not mapped to interface ID 'eni-0badcafe'": "2001:db8::1",
		"Address 10.0.1.1 is in subnet's reserved address range.":                "10.0.1.1",
		"address:10.0.1.1.":                 "10.0.1.1",
		"not in 10.0.0.0/24 or 2001::/64":   "",
		"10.0.1.1 10.0.1.1 ::ffff:10.0.1.1": "10.0.1.1",
		"ends with 2001:db8::.":             "2001:db8::",
	}
	for in, want := range tests {
		if diff := cmp.Diff(strings.Fields(want), texts(addressesIn(in))); diff != "" && want != "" || want == "" && len(addressesIn(in)) > 0 {
			t.Errorf("%q (-want +got):\n%s", in, diff)
		}
	}
}

func FuzzAddressesIn(f *testing.F) {
	f.Add("[10.0.1.5, 2001:db8::1] assigned")
	f.Add("....:::///")
	f.Fuzz(func(t *testing.T, s string) {
		for _, a := range addressesIn(s) {
			if !a.IsValid() || a.Is4In6() {
				t.Errorf("%q gave %v", s, a)
			}
		}
		line := oneLine(s)
		if len([]rune(line)) > maxSaid+1 || strings.ContainsAny(line, "\n\r\t\x00") {
			t.Errorf("%q is not one short line: %q", s, line)
		}
	})
}

// TestCodesIsComplete compares Codes with the constants in the source.
func TestCodesIsComplete(t *testing.T) {
	declared := map[string]bool{}
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, _ fs.DirEntry, _ error) error {
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok {
				if id, ok := v.Type.(*ast.Ident); ok && id.Name == "Code" && len(v.Values) == 1 {
					declared[v.Names[0].Name] = true
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Codes() {
		if !declared[string(c)] {
			t.Errorf("%s is listed twice, or its name and value differ", c)
		}
		delete(declared, string(c))
	}
	if len(declared) > 0 {
		t.Errorf("not in Codes: %v", declared)
	}
	for _, r := range rules() {
		if !slices.Contains(Codes(), r.code) {
			t.Errorf("rule %v has an unknown code", r)
		}
	}
}

func TestReasonWithoutAddress(t *testing.T) {
	got := judge(apiError("AccessDenied", "no"), request{action: "DescribeNetworkInterfaces"}).reason(netip.Addr{}).String()
	want := "EC2 refused to describe network interfaces: no (AccessDenied). Allow ec2:DescribeNetworkInterfaces in a policy of the role that this pod uses; a new policy needs up to a minute."
	if got != want {
		t.Errorf("got %s", got)
	}
}

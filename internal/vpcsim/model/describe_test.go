// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

func TestDescribeFilters(t *testing.T) {
	v := newWorld(t)
	worker2 := topology.DeriveID("i", "worker2")
	tests := []struct {
		name    string
		filters []Filter
		want    string
	}{
		{"none", nil, "node1 sig1 node2 sig2"},
		{"id", []Filter{{"network-interface-id", []string{id("sig1")}}}, "sig1"},
		{"two values are or", []Filter{{"network-interface-id", []string{id("sig1"), id("node2")}}}, "sig1 node2"},
		{"two filters are and", []Filter{{"subnet-id", []string{topology.DeriveID("subnet", "sig")}}, {"attachment.instance-id", []string{worker2}}}, "sig2"},
		{"mac", []Filter{{"mac-address", []string{topology.DeriveMAC("sig2")}}}, "sig2"},
		{"secondary address", []Filter{{"addresses.private-ip-address", []string{"10.0.1.50"}}}, "sig2"},
		{"primary address", []Filter{{"addresses.private-ip-address", []string{"10.0.1.11"}}}, "sig1"},
		{"wildcards", []Filter{{"addresses.private-ip-address", []string{"10.0.1.1?"}}}, "sig1 sig2"},
		{"star", []Filter{{"addresses.private-ip-address", []string{"10.0.0.*"}}}, "node1 node2"},
		{"IPv6 address", []Filter{{"ipv6-addresses.ipv6-address", []string{"2600:1f14:1:201::12"}}}, "sig2"},
		{"tag", []Filter{{"tag:node.k8s.amazonaws.com/no_manage", []string{"true"}}}, "sig1"},
		{"tag of another value", []Filter{{"tag:node.k8s.amazonaws.com/no_manage", []string{"false"}}}, ""},
		{"tag key", []Filter{{"tag-key", []string{"Na*"}}}, "sig1"},
		{"device index", []Filter{{"attachment.device-index", []string{"0"}}}, "node1 node2"},
		{"nothing", []Filter{{"mac-address", []string{"x"}}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := v.DescribeNetworkInterfaces(context.Background(), DescribeInput{Filters: tt.filters})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(names(out.ENIs), " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func names(enis []ENI) []string {
	var all []string
	for _, e := range enis {
		all = append(all, e.Name)
	}
	return all
}

func TestDescribeRefusals(t *testing.T) {
	v := newWorld(t)
	for want, in := range map[string]DescribeInput{
		"InvalidParameterValue: The filter 'colour' is invalid":                                                                 {Filters: []Filter{{"colour", []string{"red"}}}},
		"InvalidNetworkInterfaceID.NotFound: The networkInterface ID 'eni-0' does not exist":                                    {IDs: []string{id("sig1"), "eni-0"}},
		"InvalidParameterCombination: The parameter networkInterfaceIds cannot be used with the parameter maxResults":           {IDs: []string{id("sig1")}, MaxResults: 5},
		"InvalidParameterValue: Value ( 4 ) for parameter maxResults is invalid. Expecting a value greater than or equal to 5.": {MaxResults: 4},
		"InvalidParameterValue: Unable to parse the pagination token.":                                                          {NextToken: "x"},
		"FilterLimitExceeded: The maximum number of filter values specified on a single call is 200":                            {Filters: []Filter{{"mac-address", slices.Repeat([]string{"x"}, 201)}}},
		"DryRunOperation: Request would have succeeded, but DryRun flag is set.":                                                {DryRun: true},
	} {
		_, err := v.DescribeNetworkInterfaces(context.Background(), in)
		wantRefusal(t, err, want)
	}
}

func TestPages(t *testing.T) {
	all := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"}
	self := func(s string) string { return s }
	var got []string
	token := ""
	for pages := 1; ; pages++ {
		some, next, err := page(all, self, 5, token)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, some...)
		if token = next; next == "" {
			if pages != 3 {
				t.Errorf("got %d pages, want 3", pages)
			}
			break
		}
	}
	if !slices.Equal(got, all) {
		t.Errorf("got %v", got)
	}
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "abc", true}, {"?", "", false}, {"?", "a", true},
		{"a*c", "abbc", true}, {"a*c", "abcd", false}, {"a?c", "abc", true}, {`a\*c`, "a*c", true}, {`a\*c`, "abc", false},
		{`\?`, "?", true}, {`\?`, "x", false}, {"**a**", "a", true}, {"Describe*", "DescribeSubnets", true},
	} {
		if got := match(tt.pattern, tt.text); got != tt.want {
			t.Errorf("match(%q, %q) = %t", tt.pattern, tt.text, got)
		}
	}
}

func TestLimitsTable(t *testing.T) {
	for name, want := range map[string]Limits{
		"t3.nano": {2, 2, 2, 1}, "t3.large": {3, 12, 12, 1}, "t3.xlarge": {4, 15, 15, 1}, "m5.large": {3, 10, 10, 1}, "m5.xlarge": {4, 15, 15, 1},
		"c5n.9xlarge": {8, 30, 30, 1}, "c5.18xlarge": {15, 50, 50, 1}, "m6i.metal": {15, 50, 50, 1}, "c6in.32xlarge": {16, 50, 50, 2},
	} {
		if got, ok := InstanceTypeLimits(name); !ok || got != want {
			t.Errorf("%s has %+v, want %+v", name, got, want)
		}
	}
	for _, name := range []string{"m5.nano", "x9.large", "", "m5"} {
		if _, ok := InstanceTypeLimits(name); ok {
			t.Errorf("%q is no instance type", name)
		}
	}
	if all := InstanceTypes(); !slices.Contains(all, "r5.large") || len(all) < 100 {
		t.Errorf("there are %d types", len(all))
	}
}

func TestNewReportsTooMany(t *testing.T) {
	topo, err := topology.Parse("world.yaml", []byte(world))
	if err != nil {
		t.Fatal(err)
	}
	topo.Workers[1].IPv4PerENI = 3
	topo.Workers[0].Type, topo.Workers[0].MaxENIs = "x9.large", 0
	_, err = New(topo)
	text := ""
	for _, f := range topology.Faults(err) {
		text += f.Error() + "\n"
	}
	for _, want := range []string{"workers[0].type: the limits of instance type \"x9.large\" are not known", "workers[1].enis[1]: 4 IPv4 addresses and prefixes are more than the 3 per ENI"} {
		if !strings.Contains(text, want) {
			t.Errorf("no fault says %q:\n%s", want, text)
		}
	}
}

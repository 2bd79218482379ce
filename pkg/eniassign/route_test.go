// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	stdcmp "cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// twoTables: eni-a is ours, eni-b another one. rtb-1 has a route to each, a dead
// one that names its ENI, one that does not, and one to a transit gateway.
func twoTables() *tinyVPC {
	v := twoENIs()
	v.tables = tinyTables{
		"rtb-1": {
			"192.0.2.1/32":      {target: "eni-a"},
			"192.0.2.2/32":      {target: "eni-b"},
			"192.0.2.3/32":      {target: "eni-gone", dead: true},
			"192.0.2.4/32":      {dead: true},
			"192.0.2.5/32":      {target: "tgw-1"},
			"2001:db8:1::2/128": {target: "eni-b"},
			"192.0.2.0/24":      {target: "eni-b"}, // wider: never looked at
		},
		"rtb-2": {},
	}
	return v
}

// routeTable writes the routes of a table, without the wider one.
func (v *tinyVPC) routeTable(id string) string {
	var b strings.Builder
	for _, dst := range slices.Sorted(maps.Keys(v.tables[id])) {
		if dst != "192.0.2.0/24" {
			fmt.Fprintln(&b, dst, strings.TrimSpace(v.tables[id][dst].target))
		}
	}
	return b.String()
}

func TestDoRoute(t *testing.T) {
	failing := func(action string, n int, code, message string) func(*tinyVPC) {
		return func(v *tinyVPC) {
			v.fail = func(a string, k int) error {
				if a == action && (n == 0 || k == n) {
					return apiError(code, message)
				}
				return nil
			}
		}
	}
	// rival changes the table before the n-th request of an action.
	rival := func(action string, n int, change func(tinyTables)) func(*tinyVPC) {
		return func(v *tinyVPC) {
			v.fail = func(a string, k int) error {
				if a == action && (n == 0 || k == n) {
					change(v.tables)
				}
				return nil
			}
		}
	}
	tests := map[string]struct {
		vpc   func(*tinyVPC)
		verb  Verb
		addr  string
		table string // rtb-1
		about ENI
		want  string
		log   string
		leads string // where the route leads in the end
	}{
		"claim of a route that is there": {
			verb: Claim, addr: "192.0.2.2", want: "ok", log: "ReplaceRoute rtb-1 192.0.2.2/32", leads: "eni-a"},
		"claim of an IPv6 route": {
			verb: Claim, addr: "2001:db8:1::2", want: "ok", log: "ReplaceRoute rtb-1 2001:db8:1::2/128", leads: "eni-a"},
		"claim of what is ours already": {
			verb: Claim, addr: "192.0.2.1", want: "ok", log: "ReplaceRoute rtb-1 192.0.2.1/32", leads: "eni-a"},
		"claim of a route that is not there": {
			verb: Claim, addr: "192.0.2.9", want: "ok", log: "ReplaceRoute rtb-1 192.0.2.9/32, CreateRoute rtb-1 192.0.2.9/32", leads: "eni-a"},
		"claim of a route that is not there, said with the other code": {
			vpc:  func(v *tinyVPC) { v.replaceNotFound = apiError("InvalidRoute.NotFound", "no route") },
			verb: Claim, addr: "192.0.2.9", want: "ok", log: "ReplaceRoute rtb-1 192.0.2.9/32, CreateRoute rtb-1 192.0.2.9/32", leads: "eni-a"},
		"claim while another one creates it": {
			vpc:  rival("CreateRoute", 1, func(tt tinyTables) { tt["rtb-1"]["192.0.2.9/32"] = tinyRoute{target: "eni-b"} }),
			verb: Claim, addr: "192.0.2.9", want: "ok",
			log: "ReplaceRoute rtb-1 192.0.2.9/32, CreateRoute rtb-1 192.0.2.9/32, ReplaceRoute rtb-1 192.0.2.9/32", leads: "eni-a"},
		"claim of a route that comes and goes for ever": {
			vpc: func(v *tinyVPC) {
				v.fail = func(a string, _ int) error {
					if delete(v.tables["rtb-1"], "192.0.2.9/32"); a == "CreateRoute" {
						v.tables["rtb-1"]["192.0.2.9/32"] = tinyRoute{target: "eni-b"}
					}
					return nil
				}
			},
			verb: Claim, addr: "192.0.2.9", want: "RouteChanged Transient",
			log:   strings.TrimSuffix(strings.Repeat("ReplaceRoute rtb-1 192.0.2.9/32, CreateRoute rtb-1 192.0.2.9/32, ", 3), ", "),
			leads: "eni-b"},
		"claim while the check is on": {
			verb: Claim, addr: "192.0.2.2", about: ENI{SourceDestCheck: aws.Bool(true)}, want: "SourceDestCheckOn Permanent", leads: "eni-b"},
		"hold while the check is on": {
			verb: Hold, addr: "192.0.2.9", about: ENI{SourceDestCheck: aws.Bool(true)}, want: "SourceDestCheckOn Permanent"},
		"release while the check is on": {
			verb: Release, addr: "192.0.2.1", about: ENI{SourceDestCheck: aws.Bool(true)}, want: "ok",
			log: "DescribeRouteTables rtb-1, DeleteRoute rtb-1 192.0.2.1/32"},
		"claim with the check off": {
			verb: Claim, addr: "192.0.2.2", about: ENI{SourceDestCheck: aws.Bool(false)}, want: "ok", log: "ReplaceRoute rtb-1 192.0.2.2/32", leads: "eni-a"},
		"claim in a table that does not exist": {
			verb: Claim, addr: "192.0.2.2", table: "rtb-9", want: "RouteTableNotFound Permanent", log: "ReplaceRoute rtb-9 192.0.2.2/32"},
		"claim on an ENI that does not exist": {
			vpc:  func(v *tinyVPC) { delete(v.enis, "eni-a") },
			verb: Claim, addr: "192.0.2.2", want: "ENINotFound Gone", log: "ReplaceRoute rtb-1 192.0.2.2/32", leads: "eni-b"},
		"claim in a full table": {
			vpc:  failing("CreateRoute", 0, "RouteLimitExceeded", "The maximum number of routes has been reached."),
			verb: Claim, addr: "192.0.2.9", want: "RouteTableFull Permanent", log: "ReplaceRoute rtb-1 192.0.2.9/32, CreateRoute rtb-1 192.0.2.9/32"},
		"claim of an address of the VPC": {
			vpc: failing("ReplaceRoute", 0, "InvalidParameterValue",
				"The destination CIDR block 192.0.2.2/32 is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance."),
			verb: Claim, addr: "192.0.2.2", want: "RouteInsideVPC Permanent", log: "ReplaceRoute rtb-1 192.0.2.2/32", leads: "eni-b"},
		"claim in a table of another VPC": {
			vpc:  failing("ReplaceRoute", 0, "InvalidParameterValue", "route table rtb-1 and interface eni-a belong to different networks"),
			verb: Claim, addr: "192.0.2.2", want: "RouteTableOtherVPC Permanent", log: "ReplaceRoute rtb-1 192.0.2.2/32", leads: "eni-b"},
		"claim that is refused for a reason nobody knows": {
			vpc:  failing("ReplaceRoute", 0, "InvalidParameterValue", "prefix"),
			verb: Claim, addr: "2001:db8:1::2", want: "UnknownRefusal Permanent", log: "ReplaceRoute rtb-1 2001:db8:1::2/128", leads: "eni-b"},
		"claim without the right": {
			vpc:  failing("ReplaceRoute", 0, "UnauthorizedOperation", "You are not authorized to perform this operation."),
			verb: Claim, addr: "192.0.2.2", want: "NotAuthorized Denied", log: "ReplaceRoute rtb-1 192.0.2.2/32", leads: "eni-b"},
		"claim that is throttled": {
			vpc:  failing("ReplaceRoute", 0, "RequestLimitExceeded", "Request limit exceeded."),
			verb: Claim, addr: "192.0.2.2", want: "EC2Throttled Transient", log: "ReplaceRoute rtb-1 192.0.2.2/32", leads: "eni-b"},
		"claim that is throttled halfway": {
			vpc:  failing("CreateRoute", 0, "RequestLimitExceeded", "Request limit exceeded."),
			verb: Claim, addr: "192.0.2.9", want: "EC2Throttled Transient", log: "ReplaceRoute rtb-1 192.0.2.9/32, CreateRoute rtb-1 192.0.2.9/32"},
		"claim in doubt": {
			vpc:  failing("ReplaceRoute", 0, "InternalError", "oops"),
			verb: Claim, addr: "192.0.2.2", want: "EC2Unavailable Transient in doubt", log: "ReplaceRoute rtb-1 192.0.2.2/32", leads: "eni-b"},
		"claim of what is no route": {verb: Claim, addr: "::ffff:192.0.2.2", want: "AddressInvalid Permanent"},

		"hold of what is ours": {
			verb: Hold, addr: "192.0.2.1", want: "ok", log: "DescribeRouteTables rtb-1", leads: "eni-a"},
		"hold of a missing route": {
			verb: Hold, addr: "192.0.2.9", want: "ok", log: "DescribeRouteTables rtb-1, CreateRoute rtb-1 192.0.2.9/32", leads: "eni-a"},
		"hold never takes": {
			verb: Hold, addr: "192.0.2.2", want: "AddressContested Contested eni-b", log: "DescribeRouteTables rtb-1", leads: "eni-b"},
		"hold never takes from what is no ENI": {
			verb: Hold, addr: "192.0.2.5", want: "AddressContested Contested tgw-1", log: "DescribeRouteTables rtb-1", leads: "tgw-1"},
		"hold of a black hole": {
			verb: Hold, addr: "192.0.2.3", want: "ok", log: "DescribeRouteTables rtb-1, ReplaceRoute rtb-1 192.0.2.3/32", leads: "eni-a"},
		"hold of a black hole that names nothing": {
			verb: Hold, addr: "192.0.2.4", want: "ok", log: "DescribeRouteTables rtb-1, ReplaceRoute rtb-1 192.0.2.4/32", leads: "eni-a"},
		"hold while another one creates it": {
			vpc:  rival("CreateRoute", 1, func(tt tinyTables) { tt["rtb-1"]["192.0.2.9/32"] = tinyRoute{target: "eni-b"} }),
			verb: Hold, addr: "192.0.2.9", want: "AddressContested Contested eni-b",
			log: "DescribeRouteTables rtb-1, CreateRoute rtb-1 192.0.2.9/32, DescribeRouteTables rtb-1", leads: "eni-b"},
		"hold while we create it elsewhere": {
			vpc:  rival("CreateRoute", 1, func(tt tinyTables) { tt["rtb-1"]["192.0.2.9/32"] = tinyRoute{target: "eni-a"} }),
			verb: Hold, addr: "192.0.2.9", want: "ok",
			log: "DescribeRouteTables rtb-1, CreateRoute rtb-1 192.0.2.9/32, DescribeRouteTables rtb-1", leads: "eni-a"},
		"hold while the black hole is deleted": {
			vpc:  rival("ReplaceRoute", 1, func(tt tinyTables) { delete(tt["rtb-1"], "192.0.2.3/32") }),
			verb: Hold, addr: "192.0.2.3", want: "ok",
			log: "DescribeRouteTables rtb-1, ReplaceRoute rtb-1 192.0.2.3/32, DescribeRouteTables rtb-1, CreateRoute rtb-1 192.0.2.3/32", leads: "eni-a"},
		"hold of a route that comes and goes for ever": {
			vpc: func(v *tinyVPC) {
				v.fail = func(a string, _ int) error {
					if delete(v.tables["rtb-1"], "192.0.2.9/32"); a == "CreateRoute" {
						v.tables["rtb-1"]["192.0.2.9/32"] = tinyRoute{target: "eni-b"}
					}
					return nil
				}
			},
			verb: Hold, addr: "192.0.2.9", want: "RouteChanged Transient",
			log:   strings.TrimSuffix(strings.Repeat("DescribeRouteTables rtb-1, CreateRoute rtb-1 192.0.2.9/32, ", 3), ", "),
			leads: "eni-b"},
		"hold in a table that does not exist": {
			verb: Hold, addr: "192.0.2.9", table: "rtb-9", want: "RouteTableNotFound Permanent", log: "DescribeRouteTables rtb-9, CreateRoute rtb-9 192.0.2.9/32"},
		"hold without the right to look": {
			vpc:  failing("DescribeRouteTables", 0, "UnauthorizedOperation", "no"),
			verb: Hold, addr: "192.0.2.9", want: "NotAuthorized Denied", log: "DescribeRouteTables rtb-1"},

		"release": {
			verb: Release, addr: "192.0.2.1", want: "ok", log: "DescribeRouteTables rtb-1, DeleteRoute rtb-1 192.0.2.1/32"},
		"release of another one's": {
			verb: Release, addr: "192.0.2.2", want: "ok", log: "DescribeRouteTables rtb-1", leads: "eni-b"},
		"release of a black hole of another one's": {
			verb: Release, addr: "192.0.2.3", want: "ok", log: "DescribeRouteTables rtb-1", leads: "eni-gone"},
		"release of nothing": {
			verb: Release, addr: "192.0.2.9", want: "ok", log: "DescribeRouteTables rtb-1"},
		"release in a table that does not exist": {
			verb: Release, addr: "192.0.2.1", table: "rtb-9", want: "ok", log: "DescribeRouteTables rtb-9"},
		"release while another one deletes it": {
			vpc:  rival("DeleteRoute", 1, func(tt tinyTables) { delete(tt["rtb-1"], "192.0.2.1/32") }),
			verb: Release, addr: "192.0.2.1", want: "ok", log: "DescribeRouteTables rtb-1, DeleteRoute rtb-1 192.0.2.1/32"},
		"release while the table is deleted": {
			vpc:  rival("DeleteRoute", 1, func(tt tinyTables) { delete(tt, "rtb-1") }),
			verb: Release, addr: "192.0.2.1", want: "ok", log: "DescribeRouteTables rtb-1, DeleteRoute rtb-1 192.0.2.1/32"},
		"release between another one's look and claim: EC2 has no condition on a deletion": {
			vpc:  rival("DeleteRoute", 1, func(tt tinyTables) { tt["rtb-1"]["192.0.2.1/32"] = tinyRoute{target: "eni-b"} }),
			verb: Release, addr: "192.0.2.1", want: "ok", log: "DescribeRouteTables rtb-1, DeleteRoute rtb-1 192.0.2.1/32"},
		"release without a look is not made": {
			vpc:  failing("DescribeRouteTables", 0, "RequestLimitExceeded", "no"),
			verb: Release, addr: "192.0.2.1", want: "EC2Throttled Transient", log: "DescribeRouteTables rtb-1", leads: "eni-a"},
		"release in doubt": {
			vpc:  failing("DeleteRoute", 0, "InternalError", "oops"),
			verb: Release, addr: "192.0.2.1", want: "EC2Unavailable Transient in doubt", log: "DescribeRouteTables rtb-1, DeleteRoute rtb-1 192.0.2.1/32", leads: "eni-a"},
		"release of the ENI's own primary as a route": {
			vpc:  func(v *tinyVPC) { v.tables["rtb-1"]["10.0.1.10/32"] = tinyRoute{target: "eni-a"} },
			verb: Release, addr: "10.0.1.10", about: ENI{Primary: addr("10.0.1.10")}, want: "ok", log: "DescribeRouteTables rtb-1, DeleteRoute rtb-1 10.0.1.10/32"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			vpc := twoTables()
			if tt.vpc != nil {
				tt.vpc(vpc)
			}
			a := addr(tt.addr)
			call := Call{Verb: tt.verb, ENI: "eni-a", Family: FamilyOf(a), Table: stdcmp.Or(tt.table, "rtb-1"), Addrs: addrs(tt.addr), About: tt.about, Urgent: true}
			got := (&Client{EC2: vpc}).Do(t.Context(), call)
			if diff := cmp.Diff(tt.addr+" "+tt.want+"\n", table(got)); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
			var log []string
			for _, l := range vpc.log {
				f := strings.Fields(l)
				log = append(log, strings.Join(slices.DeleteFunc(f, func(s string) bool { return s == "eni-a" }), " "))
			}
			if diff := cmp.Diff(tt.log, strings.Join(log, ", ")); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if tt.table == "" && vpc.tables["rtb-1"] != nil {
				if leads := vpc.tables["rtb-1"][hostRoute(a)].target; leads != tt.leads {
					t.Errorf("the route leads to %q, want %q", leads, tt.leads)
				}
			}
			for _, o := range got {
				if o.Reason != nil && (!strings.Contains(o.Reason.Text, tt.addr) || o.Reason.Class != Transient && o.Reason.Code != AddressInvalid && o.Reason.Cure == "" || strings.Contains(o.Reason.Cure, "{")) {
					t.Errorf("not a good sentence: %s", o.Reason)
				}
			}
		})
	}
}

func TestRoutes(t *testing.T) {
	vpc := twoTables()
	c := &Client{EC2: vpc}
	got, err := c.Routes(t.Context(), []string{"rtb-2", "rtb-9", "rtb-1"}, addrs("192.0.2.1 192.0.2.3 192.0.2.4 192.0.2.5 192.0.2.77 2001:db8:1::2"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, r := range got {
		fmt.Fprintln(&b, r.Table, r.Addr, r.ENI, r.Blackhole)
	}
	want := lines(`rtb-2 192.0.2.1  false
		rtb-2 192.0.2.3  false
		rtb-2 192.0.2.4  false
		rtb-2 192.0.2.5  false
		rtb-2 192.0.2.77  false
		rtb-2 2001:db8:1::2  false
		rtb-1 192.0.2.1 eni-a false
		rtb-1 192.0.2.3 eni-gone true
		rtb-1 192.0.2.4  true
		rtb-1 192.0.2.5 tgw-1 false
		rtb-1 192.0.2.77  false
		rtb-1 2001:db8:1::2 eni-b false`)
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(vpc.log) != 1 {
		t.Errorf("%d requests", len(vpc.log))
	}
	if got, err := c.Routes(t.Context(), nil, addrs("192.0.2.1")); err != nil || got != nil || len(vpc.log) != 1 {
		t.Errorf("without tables: %v, %v, %d requests", got, err, len(vpc.log))
	}
	vpc.fail = func(string, int) error { return apiError("UnauthorizedOperation", "no") }
	_, err = c.Routes(t.Context(), []string{"rtb-1"}, addrs("192.0.2.1"))
	e, ok := err.(*Error)
	if !ok || e.Why.Code != NotAuthorized || !strings.Contains(e.Error(), "Allow ec2:DescribeRouteTables") || !strings.Contains(e.Why.Text, "describe route tables") {
		t.Errorf("got %v", err)
	}
}

func TestProbeRoute(t *testing.T) {
	denied := apiError("UnauthorizedOperation", "You are not authorized to perform this operation.")
	deny := func(actions ...string) func(string, int) error {
		return func(a string, _ int) error {
			if slices.Contains(actions, a) {
				return denied
			}
			return nil
		}
	}
	tests := map[string]struct {
		fail func(string, int) error
		call Call
		want Code
		text string
	}{
		"allowed":                {},
		"one right is missing":   {fail: deny("CreateRoute"), want: NotAuthorized, text: "ec2:CreateRoute on rtb-1"},
		"two rights are missing": {fail: deny("ReplaceRoute", "DeleteRoute"), want: NotAuthorized, text: "ec2:ReplaceRoute, ec2:DeleteRoute on rtb-1"},
		"EC2 looks before it answers": {fail: func(a string, _ int) error {
			return map[string]error{"ReplaceRoute": apiError("InvalidParameterValue", "There is no route defined for 'x'"),
				"DeleteRoute": apiError("InvalidRoute.NotFound", "no"), "CreateRoute": apiError("RouteAlreadyExists", "x")}[a]
		}},
		"the table does not exist": {fail: func(string, int) error {
			return apiError("InvalidRouteTableID.NotFound", "The routeTable ID 'rtb-1' does not exist")
		},
			want: RouteTableNotFound, text: "rtb-1"},
		"throttled": {fail: func(string, int) error { return apiError("RequestLimitExceeded", "no") }, want: EC2Throttled, text: "rtb-1"},
		"throttled, and a denial": {fail: func(a string, _ int) error {
			return map[string]error{"ReplaceRoute": apiError("RequestLimitExceeded", "no"), "CreateRoute": denied}[a]
		}, want: NotAuthorized, text: "ec2:CreateRoute on rtb-1"},
		"the check is on": {call: Call{About: ENI{SourceDestCheck: aws.Bool(true)}}, want: SourceDestCheckOn, text: "eni-a"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			vpc := twoTables()
			vpc.fail = tt.fail
			before := vpc.routeTable("rtb-1")
			call := tt.call
			call.ENI, call.Family, call.Table, call.Addrs = "eni-a", IPv4, "rtb-1", addrs("192.0.2.2")
			why := (&Client{EC2: vpc}).ProbeRoute(t.Context(), call)
			switch {
			case tt.want == "" && why != nil, tt.want != "" && (why == nil || why.Code != tt.want || !strings.Contains(why.String(), tt.text)):
				t.Errorf("got %+v", why)
			case why != nil && strings.Contains(why.String(), "{"):
				t.Errorf("not a good sentence: %s", why)
			}
			for _, l := range vpc.log {
				if !strings.HasSuffix(l, " dry") {
					t.Errorf("not a dry run: %s", l)
				}
			}
			if want := 3; tt.want != SourceDestCheckOn && len(vpc.log) != want || vpc.routeTable("rtb-1") != before {
				t.Errorf("%d requests, and the table is\n%s", len(vpc.log), vpc.routeTable("rtb-1"))
			}
		})
	}
	for _, bad := range []Call{{ENI: "eni-a", Family: IPv4, Addrs: addrs("192.0.2.2")}, {ENI: "eni-a", Family: IPv4, Table: "rtb-1"}} {
		if why := (&Client{EC2: &fakeEC2{t: t}}).ProbeRoute(t.Context(), bad); why == nil || why.Code != AddressInvalid {
			t.Errorf("%+v: %+v", bad, why)
		}
	}
}

func TestHolders(t *testing.T) {
	vpc := twoENIs()
	c := &Client{EC2: vpc}
	show := func(about ENI, list string) string {
		got, err := c.Holders(t.Context(), about, addrs(list))
		if err != nil {
			return err.Error()
		}
		var b strings.Builder
		for _, a := range addrs(list) {
			if h, held := got[a]; held {
				fmt.Fprintln(&b, a, h.ENI, h.InstanceID, h.Primary)
			}
		}
		if b.Len() > 0 && strings.Count(b.String(), "\n") != len(got) {
			t.Errorf("more than was asked for: %v", got)
		}
		return b.String()
	}
	const list = "10.0.1.20 10.0.1.50 10.0.1.11 10.0.1.31 10.0.1.99 2001:db8::50 2001:db8::b"
	want := lines(`10.0.1.20 eni-b i-b true
		10.0.1.50 eni-b i-b false
		10.0.1.11 eni-a i-a false
		2001:db8::50 eni-b i-b false
		2001:db8::b eni-b i-b true`)
	if diff := cmp.Diff(want, show(ENI{ID: "eni-a", VPCID: "vpc-1"}, list)); diff != "" || len(vpc.log) != 2 {
		t.Errorf("%d requests (-want +got):\n%s", len(vpc.log), diff)
	}
	vpc.log = nil
	if diff := cmp.Diff(want, show(ENI{ID: "eni-a"}, list)); diff != "" || len(vpc.log) != 3 {
		t.Errorf("the VPC is not known: %d requests (-want +got):\n%s", len(vpc.log), diff)
	}
	vpc.log = nil
	if got := show(ENI{ID: "eni-a", VPCID: "vpc-1"}, ""); got != "" || len(vpc.log) != 0 {
		t.Errorf("nothing was asked: %q, %d requests", got, len(vpc.log))
	}
	if got := show(ENI{ID: "eni-gone"}, "10.0.1.50"); !strings.Contains(got, "eni-gone") {
		t.Errorf("got %q", got)
	}
	vpc.fail = func(string, int) error { return apiError("UnauthorizedOperation", "no") }
	for _, about := range []ENI{{ID: "eni-a"}, {ID: "eni-a", VPCID: "vpc-1"}} {
		if got := show(about, "10.0.1.50"); !strings.Contains(got, "Allow ec2:DescribeNetworkInterfaces") {
			t.Errorf("got %q", got)
		}
	}
}

func TestPlanOfRoutes(t *testing.T) {
	a := ENI{ID: "eni-a", Primary: addr("10.0.1.10"), Addresses: addrs("10.0.1.10 192.0.2.1"), Prefixes: prefixes("192.0.2.16/28"), SourceDestCheck: aws.Bool(false)}
	item := func(verb Verb, eni, table, address string) Item {
		return Item{Verb: verb, ENI: eni, Table: table, Addr: addr(address)}
	}
	calls, done := Plan([]Item{
		item(Release, "eni-a", "", "192.0.2.1"),
		item(Claim, "eni-a", "rtb-2", "192.0.2.2"),
		item(Claim, "eni-a", "rtb-1", "192.0.2.2"),
		item(Claim, "eni-a", "rtb-1", "192.0.2.1"),
		item(Claim, "eni-a", "rtb-1", "2001:db8::1"),
		item(Claim, "eni-a", "rtb-1", "192.0.2.17"),
		item(Claim, "eni-a", "rtb-1", "10.0.1.10"),
		item(Claim, "eni-a", "", "10.0.1.40"),
		item(Hold, "eni-a", "rtb-1", "192.0.2.3"),
		item(Release, "eni-a", "rtb-2", "192.0.2.3"),
		item(Release, "eni-b", "rtb-1", "2001:db8::1"),
		item(Release, "eni-a", "rtb-1", "192.0.2.2"), // claimed
		item(Hold, "eni-a", "rtb-2", "192.0.2.2"),    // claimed
	}, []ENI{a})
	var b strings.Builder
	for _, c := range calls {
		fmt.Fprintln(&b, verbNames[c.Verb], c.ENI, c.Table, c.Family, strings.Join(texts(c.Addrs), " "))
		if c.ENI == "eni-a" && c.About.SourceDestCheck == nil {
			t.Errorf("the call does not know its ENI: %+v", c)
		}
	}
	want := lines(`claim eni-a rtb-1 4 10.0.1.10
		claim eni-a rtb-1 4 192.0.2.1
		claim eni-a rtb-1 4 192.0.2.2
		claim eni-a rtb-1 4 192.0.2.17
		claim eni-a rtb-1 6 2001:db8::1
		claim eni-a rtb-2 4 192.0.2.2
		release eni-a  4 192.0.2.1
		release eni-a rtb-2 4 192.0.2.3
		release eni-b rtb-1 6 2001:db8::1
		claim eni-a  4 10.0.1.40
		hold eni-a rtb-1 4 192.0.2.3`)
	if diff := cmp.Diff(want, b.String()); diff != "" || len(done) != 0 {
		t.Errorf("done %v (-want +got):\n%s", done, diff)
	}
}

// TestPlanOfRoutesLosesNothing: each (ENI, table, address) has one call, with its
// strongest verb.
func TestPlanOfRoutesLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Item {
			return Item{
				ENI:   rapid.SampledFrom([]string{"eni-a", "eni-b"}).Draw(t, "eni"),
				Table: rapid.SampledFrom([]string{"rtb-1", "rtb-2"}).Draw(t, "table"),
				Addr:  rapid.SampledFrom(addrs("192.0.2.1 192.0.2.2 2001:db8::1")).Draw(t, "addr"),
				Verb:  rapid.SampledFrom([]Verb{Claim, Hold, Release}).Draw(t, "verb"),
			}
		}), 0, 40).Draw(t, "items")
		want := map[Item]Verb{}
		for _, it := range items {
			k := it
			k.Verb = 0
			if v, ok := want[k]; !ok || it.Verb < v {
				want[k] = it.Verb
			}
		}
		calls, done := Plan(items, []ENI{{ID: "eni-a", Addresses: addrs("192.0.2.1"), Primary: addr("192.0.2.2")}})
		got := map[Item]Verb{}
		for _, c := range calls {
			got[Item{ENI: c.ENI, Table: c.Table, Addr: c.Addrs[0]}] = c.Verb
			if len(c.Addrs) != 1 || c.Family != FamilyOf(c.Addrs[0]) {
				t.Fatalf("not one route: %+v", c)
			}
		}
		if len(done) > 0 || len(calls) != len(want) || !maps.Equal(got, want) {
			t.Fatalf("want %v, got %v, done %v", want, got, done)
		}
	})
}

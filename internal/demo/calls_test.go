// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"net/netip"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

const ms = time.Millisecond

// powerCutCalls are a standby's calls for a floating IPv6 address that a dead
// worker holds, beside what others do.
func powerCutCalls(zero time.Time) []model.Call {
	call := func(at, took int, action, worker, eni, code string, addrs ...string) model.Call {
		return model.Call{
			Time: zero.Add(time.Duration(at) * ms), Duration: time.Duration(took) * ms, Done: true,
			Action: action, Worker: worker, ENI: eni, Code: code, Addresses: addrs,
		}
	}
	return []model.Call{
		call(-500, 100, "AssignIpv6Addresses", "w2", "eni-2", "", "2001:db8::1"), // an earlier time
		call(2, 100, "AssignIpv6Addresses", "w2", "eni-2", "InvalidParameterValue", "2001:db8::1"),
		call(3, 100, "AssignPrivateIpAddresses", "w2", "eni-2", "", "10.0.0.1"),
		call(50, 100, "AssignIpv6Addresses", "w1", "eni-1", "", "2001:db8::1"),
		call(103, 100, "DescribeNetworkInterfaces", "w2", "", ""),
		call(204, 100, "UnassignIpv6Addresses", "w2", "eni-1", "", "2001:db8::1"),
		call(305, 100, "AssignIpv6Addresses", "w2", "eni-2", "", "2001:db8::1"),
	}
}

func TestAcknowledgedIsTheAnswerToThatENIForThatAddress(t *testing.T) {
	zero := time.Now()
	calls := powerCutCalls(zero)
	for addr, want := range map[string]time.Duration{"2001:db8::1": 405 * ms, "10.0.0.1": 103 * ms} {
		at, ok := acknowledged(calls, netip.MustParseAddr(addr), "eni-2", zero)
		if !ok || at.Sub(zero) != want {
			t.Errorf("%s: acknowledged after %v, %v; want %v", addr, at.Sub(zero), ok, want)
		}
	}
	calls[len(calls)-1].Done = false
	if _, ok := acknowledged(calls, netip.MustParseAddr("2001:db8::1"), "eni-2", zero); ok {
		t.Error("acknowledged although the call is under way")
	}
}

func TestAcknowledgedMeansEveryRouteTable(t *testing.T) {
	zero := time.Now()
	call := func(at int, action, table, code, dst string) model.Call {
		return model.Call{Time: zero.Add(time.Duration(at) * ms), Duration: 100 * ms, Done: true,
			Action: action, ENI: "eni-2", RouteTable: table, Code: code, Addresses: []string{dst}}
	}
	calls := []model.Call{
		call(1, "ReplaceRoute", "rtb-1", "", "198.51.100.10/32"),
		call(2, "ReplaceRoute", "rtb-2", "InvalidParameterValue", "198.51.100.10/32"),
		call(3, "ReplaceRoute", "rtb-2", "", "198.51.100.11/32"),
		call(4, "DeleteRoute", "rtb-2", "", "198.51.100.10/32"),
	}
	a := netip.MustParseAddr("198.51.100.10")
	if at, ok := acknowledged(calls, a, "eni-2", zero, "rtb-1", "rtb-2"); ok {
		t.Errorf("acknowledged after %v although rtb-2 has refused", at.Sub(zero))
	}
	calls = append(calls, call(103, "CreateRoute", "rtb-2", "", "198.51.100.10/32"))
	if at, ok := acknowledged(calls, a, "eni-2", zero, "rtb-1", "rtb-2"); !ok || at.Sub(zero) != 203*ms {
		t.Errorf("acknowledged after %v, %v; want 203ms", at.Sub(zero), ok)
	}
	if len(about(calls, "", a)) != 4 || len(routeless(append(calls, powerCutCalls(zero)...))) != 7 {
		t.Error("calls about a route are not told from others")
	}
}

func TestCallsAboutAnAddressOfOneWorker(t *testing.T) {
	zero := time.Now()
	at := func(d int) time.Time { return zero.Add(time.Duration(d) * ms) }
	v6 := about(since(powerCutCalls(zero), zero), "w2", netip.MustParseAddr("2001:db8::1"))
	if len(v6) != 4 || model.InHand(v6, zero, at(405)) != 400*ms {
		t.Errorf("%d calls take %v, want 4 and 400ms", len(v6), model.InHand(v6, zero, at(405)))
	}
}

func TestCountIsSorted(t *testing.T) {
	if got, want := count(tally(powerCutCalls(time.Now()))),
		"7 (4×AssignIpv6Addresses, 1×AssignPrivateIpAddresses, 1×DescribeNetworkInterfaces, 1×UnassignIpv6Addresses)"; got != want {
		t.Errorf("count = %s, want %s", got, want)
	}
	if got := count(nil); got != "none" {
		t.Errorf("count of nothing = %s", got)
	}
}

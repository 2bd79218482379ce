// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

func TestFaultForSomeCalls(t *testing.T) {
	v := newWorld(t)
	v.Inject(Fault{Action: "AssignPrivateIpAddresses", Code: "InternalError", Count: 2})
	wantRefusal(t, assign(v, "sig1", true, "10.0.1.100"), "InternalError: Injected fault.")
	wantRefusal(t, unassign(v, "sig2", "10.0.1.50"), "")
	wantRefusal(t, assign(v, "sig1", true, "10.0.1.100"), "InternalError: Injected fault.")
	wantRefusal(t, assign(v, "sig1", true, "10.0.1.100"), "")
	if len(v.Faults()) != 0 {
		t.Errorf("used up, but still there: %v", v.Faults())
	}
}

func TestFaultForSomeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newWorld(t)
		v.Inject(Fault{Code: "Unavailable", Message: "gone fishing", For: time.Minute})
		wantRefusal(t, assign(v, "sig1", true, "10.0.1.100"), "Unavailable: gone fishing")
		time.Sleep(time.Minute)
		wantRefusal(t, assign(v, "sig1", true, "10.0.1.100"), "")
	})
}

func TestFaultThatSparesSomeCalls(t *testing.T) {
	v := newWorld(t)
	v.Inject(Fault{Action: "Assign*", Code: "InternalError", Spare: 3})
	const refused = "InternalError: Injected fault."
	for _, want := range []string{refused, refused, "", refused, refused, ""} {
		wantRefusal(t, assign6(v, "sig1", "2600:1f14:1:201::100"), want)
	}
	if hits := v.Faults()[0].Hits; hits != 4 {
		t.Errorf("the fault befell %d calls, want 4 of 6", hits)
	}
}

func TestFaultIsRemoved(t *testing.T) {
	v := newWorld(t)
	remove := v.Inject(Fault{Action: "Assign*", Code: "AuthFailure"})
	wantRefusal(t, assign6(v, "sig1", "2600:1f14:1:201::100"), "AuthFailure: Injected fault.")
	remove()
	wantRefusal(t, assign6(v, "sig1", "2600:1f14:1:201::100"), "")
}

func TestFaultOfOneENIAndAddress(t *testing.T) {
	v := newWorld(t)
	v.Inject(Fault{ENI: "sig1", Address: ip("10.0.1.100"), Code: "InternalError"})
	wantRefusal(t, assign(v, "sig1", true, "10.0.1.101", "10.0.1.100"), "InternalError: Injected fault.")
	wantRefusal(t, assign(v, "sig1", true, "10.0.1.101"), "")
	wantRefusal(t, assign(v, "sig2", true, "10.0.1.100"), "")
}

// TestFaultAboutARouteTable: the permission to change routes is given table by
// table.
func TestFaultAboutARouteTable(t *testing.T) {
	main, other := topology.DeriveID("rtb", topology.MainRouteTable), topology.DeriveID("rtb", "other")
	for _, ref := range []string{"other", other} {
		v := newWorld(t, func(topo *topology.Topology) {
			topo.RouteTables = append(topo.RouteTables, topology.RouteTable{Name: "other"})
		})
		v.Inject(Fault{RouteTable: ref, Code: CodeUnauthorized})
		in := RouteInput{RouteTableID: main, Destination: netip.MustParsePrefix("192.0.2.100/32"), NetworkInterfaceID: id("sig1")}
		wantRefusal(t, v.CreateRoute(context.Background(), in), "")
		in.RouteTableID = other
		const denied = "UnauthorizedOperation: You are not authorized to perform this operation."
		wantRefusal(t, v.CreateRoute(context.Background(), in), denied)
		wantRefusal(t, v.DeleteRoute(context.Background(), in), denied)
		wantRefusal(t, assign(v, "sig1", true, "10.0.1.100"), "")
		wantRefusal(t, describe(v, DescribeInput{}), "")
		if c := v.Calls()[1]; c.RouteTable != other || !c.Names(ip("192.0.2.100")) || c.Names(ip("192.0.2.10")) {
			t.Errorf("the log says %+v", c)
		}
	}
}

// TestFaultAboutAnAddressBefallsItsRoute, and not a wider one.
func TestFaultAboutAnAddressBefallsItsRoute(t *testing.T) {
	v := newWorld(t)
	v.Inject(Fault{Address: ip("2001:db8::1"), Code: "InternalError"})
	in := RouteInput{RouteTableID: topology.DeriveID("rtb", topology.MainRouteTable), NetworkInterfaceID: id("sig1")}
	for dst, want := range map[string]string{"2001:db8::1/128": "InternalError: Injected fault.", "2001:db8::2/128": "", "2001:db8::/64": ""} {
		in.Destination = netip.MustParsePrefix(dst)
		wantRefusal(t, v.CreateRoute(context.Background(), in), want)
	}
}

func TestDrops(t *testing.T) {
	for drop, effective := range map[Drop]bool{DropBefore: false, DropAfter: true} {
		v := newWorld(t)
		v.Inject(Fault{Drop: drop, Count: 1})
		if err := assign(v, "sig1", true, "10.0.1.100"); !errors.Is(err, ErrDropped) {
			t.Errorf("%s: got %v, want ErrDropped", drop, err)
		}
		if _, ok := v.Owner(ip("10.0.1.100")); ok != effective {
			t.Errorf("dropped %s the work: done is %t", drop, ok)
		}
		if c := v.Calls()[0]; c.Code != CodeDropped || c.Effective != effective {
			t.Errorf("the log says %+v", c)
		}
	}
}

func TestDelaysAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newWorld(t)
		v.Inject(Fault{Delay: time.Second})
		v.Inject(Fault{Delay: time.Second, Code: "InternalError"})
		wantRefusal(t, assign(v, "sig1", true, "10.0.1.100"), "InternalError: Injected fault.")
		if d := v.Calls()[0].Duration; d != 2*time.Second {
			t.Errorf("took %s, want 2 s", d)
		}
	})
}

func TestCallerWhoLeaves(t *testing.T) {
	for after, effective := range map[time.Duration]bool{400 * time.Millisecond: false, 600 * time.Millisecond: true} {
		synctest.Test(t, func(t *testing.T) {
			v := newWorld(t)
			v.Tune(func(e *topology.EC2) { e.Latency = time.Second })
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			_, err := v.AssignPrivateIPAddresses(ctx, AssignPrivateIPAddressesInput{NetworkInterfaceID: id("sig1"), Addresses: ips("10.0.1.100")})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			c := v.Calls()[0]
			if _, ok := v.Owner(ip("10.0.1.100")); ok != effective || c.Effective != effective || c.Code != CodeCanceled || c.Duration != after {
				t.Errorf("left after %s: owner %t, log %+v", after, ok, c)
			}
		})
	}
}

func TestPermissions(t *testing.T) {
	v := newWorld(t, func(topo *topology.Topology) {
		topo.EC2.Deny = []topology.Denial{{Worker: "worker2", Actions: []string{"Describe*"}}}
	})
	as := func(worker string) context.Context {
		return WithCaller(context.Background(), Caller{AccessKey: v.Credentials(worker).AccessKeyID})
	}
	const denied = "UnauthorizedOperation: You are not authorized to perform this operation."
	describe := func(worker string) error {
		_, err := v.DescribeNetworkInterfaces(as(worker), DescribeInput{})
		return err
	}
	wantRefusal(t, describe("worker1"), "")
	wantRefusal(t, describe("worker2"), denied)
	allow := v.Deny(v.Credentials("worker1").AccessKeyID, "DescribeNetworkInterfaces", "Assign*")
	wantRefusal(t, describe("worker1"), denied)
	allow()
	wantRefusal(t, describe("worker1"), "")
	for i, want := range []string{"worker1", "worker2", "worker1", "worker1"} {
		if got := v.Calls()[i].Worker; got != want {
			t.Errorf("call %d is logged as of %q, want %q", i, got, want)
		}
	}
}

func TestCallLog(t *testing.T) {
	v := newWorld(t)
	wantRefusal(t, assign(v, "sig1", true, "10.0.1.100"), "")
	if err := assign(v, "sig1", true, "10.0.1.12"); err == nil {
		t.Fatal("a primary moved")
	}
	wantRefusal(t, describe(v, DescribeInput{}), "")
	if got := len(v.Calls()); got != 3 {
		t.Errorf("%d calls, want 3", got)
	}
	calls := v.Calls("Assign*")
	if len(calls) != 2 || calls[0].ENI != id("sig1") || calls[0].Addresses[0] != "10.0.1.100" || !calls[0].Done || calls[0].Code != "" || !calls[0].Effective {
		t.Errorf("the log says %+v", calls)
	}
	if calls[1].Code != "InvalidParameterValue" || calls[1].Message != "secondary-addresses" || calls[1].Effective {
		t.Errorf("the log says %+v", calls[1])
	}
	v.ResetCalls()
	if got := v.Calls(); len(got) != 0 {
		t.Errorf("after the reset there are %v", got)
	}
}

func TestFaultValidate(t *testing.T) {
	for _, f := range []Fault{{}, {Drop: "sideways"}, {Code: "X", Count: -1}, {Code: "X", Spare: -1}, {Code: "X", Spare: 1}, {Code: "X", HTTPStatus: 200}} {
		if f.Validate() == nil {
			t.Errorf("%+v was accepted", f)
		}
	}
	if err := (Fault{Code: "X"}).Validate(); err != nil {
		t.Error(err)
	}
}

// TestManyAtOnce is for the race detector: calls, the data plane, metadata and
// faults at the same time.
func TestManyAtOnce(t *testing.T) {
	v := newWorld(t)
	var wg sync.WaitGroup
	for i, eni := range []string{"sig1", "sig2"} {
		wg.Go(func() {
			for range 100 {
				_ = assign(v, eni, true, "10.0.1.100") // either may be refused
				_ = unassign(v, eni, "10.0.1.100")
			}
		})
		wg.Go(func() {
			for range 100 {
				v.Deliver("node1", ip("10.0.1.100"))
				v.Permits(eni, ip("10.0.1.100"))
				v.Inject(Fault{Delay: time.Microsecond})()
				v.Calls()
				v.Tune(func(e *topology.EC2) { e.RemapDelay = time.Duration(i) })
				if _, err := v.Instance("worker1"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

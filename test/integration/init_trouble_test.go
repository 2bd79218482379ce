// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// TestInitOutlastsTroubleThatPasses: whatever befalls the first calls of each
// action, the addresses are routed in the end.
func TestInitOutlastsTroubleThatPasses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault model.Fault
	}{
		{"throttled", model.Fault{Code: "RequestLimitExceeded", Count: 3}},
		{"internal error", model.Fault{Code: "InternalError", HTTPStatus: 500, Count: 3}},
		{"unavailable", model.Fault{Code: "Unavailable", HTTPStatus: 503, Count: 3}},
		{"dropped before the work", model.Fault{Drop: model.DropBefore, Count: 3}},
		{"dropped after the work", model.Fault{Drop: model.DropAfter, Count: 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, []string{upf})
			for _, action := range []string{"DescribeNetworkInterfaces", "AssignPrivateIpAddresses", "AssignIpv6Addresses"} {
				f := tt.fault
				f.Action = action
				l.VPC.Inject(f)
			}
			p := l.container("upf").run("init", "--timeout", patience.String())
			p.wantExit(0)
			l.wantHeld("w1-sig", "10.0.1.100", "2001:db8:0:1::100")
		})
	}
}

func TestInitOutlastsAnEC2EndpointThatIsDown(t *testing.T) {
	t.Parallel()
	const outage = 2 * time.Second
	t.Run("no way there", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, []string{upf})
		restore := l.cutOff("upf", unix.RTN_UNREACHABLE)
		p := l.container("upf").start("init", "--timeout", patience.String())
		time.Sleep(outage)
		if !p.running() {
			t.Errorf("init ended with exit code %d while EC2 was down", p.exitCode())
		}
		l.wantCalls("")
		restore()
		p.wantExit(0)
		l.wantHeld("w1-sig", "10.0.1.100", "2001:db8:0:1::100")
	})
	t.Run("connections closed", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, []string{upf})
		l.VPC.Inject(model.Fault{Drop: model.DropBefore, For: outage})
		l.container("upf").run("init", "--timeout", patience.String()).wantExit(0)
		l.wantHeld("w1-sig", "10.0.1.100", "2001:db8:0:1::100")
	})
}

// cutOff takes a pod's way to the EC2 endpoint; kind is RTN_UNREACHABLE or
// RTN_BLACKHOLE.
func (l *lab) cutOff(pod string, kind int) (restore func()) {
	l.t.Helper()
	h, err := l.Fabric.Pod(pod).Handle()
	check(l.t, err)
	ec2 := netip.PrefixFrom(l.VPC.Topology().EC2.Address.Addr(), 32)
	dst, err := netlink.ParseIPNet(ec2.String())
	check(l.t, err)
	route := &netlink.Route{Dst: dst, Type: kind}
	check(l.t, h.RouteAdd(route))
	return func() { check(l.t, h.RouteDel(route)) }
}

// TestOneBadAddressNeverHoldsBackTheOthers: law 7.
func TestOneBadAddressNeverHoldsBackTheOthers(t *testing.T) {
	t.Parallel()
	// 10.0.1.12 is the primary address of w2-sig, 10.0.1.1 is AWS's own, and
	// 10.0.9.9 is in none of the ENI's subnets.
	l := newLab(t, []string{"upf w1 net1=w1-sig,10.0.1.100/24,10.0.1.12/24,10.0.1.1/24,10.0.9.9/24,10.0.1.103/24,2001:db8:0:1::100/64" +
		" net2=w1-media,10.0.2.100/24"})
	c := l.container("upf")
	p := c.run("init", "--timeout", "3s")
	p.wantExit(1)
	l.wantHeld("w1-sig", "10.0.1.100", "10.0.1.103", "2001:db8:0:1::100")
	l.wantHeld("w1-media", "10.0.2.100")
	wantText(t, "the termination message", c.message(), "10.0.1.12 ", "10.0.1.1 ", "10.0.9.9 ", l.id("w1-sig"), l.id("w2-sig"))
	for _, good := range []string{"10.0.1.100", "10.0.1.103", "2001:db8:0:1::100", "10.0.2.100"} {
		wantNoText(t, "the termination message", c.message(), good)
	}
}

// TestInitThatIsEndedReleasesWhatItAssigned: the pod is deleted while it starts.
func TestInitThatIsEndedReleasesWhatItAssigned(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"DescribeNetworkInterfaces", "AssignPrivateIpAddresses", "AssignIpv6Addresses"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, []string{upf})
			l.VPC.Inject(model.Fault{Action: action, Delay: time.Second})
			c := l.container("upf")
			p := c.start("init")
			l.untilCalled(action)
			p.terminate()
			p.wantExit(1)
			l.wantHeld("w1-sig")
			wantText(t, "the termination message", c.message(), "ended before every address was routed")
		})
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// threeNets is a pod with three networks, dual-stack, on three ENIs.
const threeNets = "smf w1 net1=w1-sig,10.0.1.100/24,10.0.1.102/24,2001:db8:0:1::100/64" +
	" net2=w1-media,10.0.2.100/24,2001:db8:0:2::100/64 net3=w1-oam,10.0.3.100/24,2001:db8:0:3::100/64"

func TestInitCostsOneDescribeAndOneCallPerENIAndFamily(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{threeNets})
	c := l.container("smf")
	c.run("init").wantExit(0)
	l.wantCalls("AssignIpv6Addresses×3 AssignPrivateIpAddresses×3 DescribeNetworkInterfaces×1")
	l.wantHeld("w1-sig", "10.0.1.100", "10.0.1.102", "2001:db8:0:1::100")
	l.wantHeld("w1-media", "10.0.2.100", "2001:db8:0:2::100")
	l.wantHeld("w1-oam", "10.0.3.100", "2001:db8:0:3::100")
	if m := c.message(); m != "" {
		t.Errorf("success has the termination message %q", m)
	}

	for _, again := range []*container{c, l.container("smf")} { // with its state and without
		l.VPC.ResetCalls()
		again.run("init").wantExit(0)
		l.wantCalls("DescribeNetworkInterfaces×1")
	}

	l.VPC.ResetCalls()
	l.add("smf", "net2", "10.0.2.105/24")
	l.container("smf").run("init").wantExit(0)
	l.wantCalls("AssignPrivateIpAddresses×1 DescribeNetworkInterfaces×1")
	l.wantHeld("w1-media", "10.0.2.100", "10.0.2.105", "2001:db8:0:2::100")
}

// An IPv6 address that is tentative when init starts is waited for, although all
// others are routed long before.
func TestInitWaitsForDuplicateAddressDetection(t *testing.T) {
	t.Parallel()
	detect := func(_ *topology.Topology, o *vpcsim.Options) { o.Fabric.DAD = true }
	l := newLab(t, []string{"smf w1 net1=w1-sig,10.0.1.100/24"}, detect)
	l.add("smf", "net1", "2001:db8:0:1::100/64")
	l.container("smf").run("init").wantExit(0)
	l.wantHeld("w1-sig", "10.0.1.100", "2001:db8:0:1::100")
	l.wantCalls("AssignIpv6Addresses×1 AssignPrivateIpAddresses×1 DescribeNetworkInterfaces×1")
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// TestInitThatTimesOutTellsReasonENIAndCure: law 7. want is in the termination
// message, which is what kubectl describe shows; "ENI:x" stands for x's id.
func TestInitThatTimesOutTellsReasonENIAndCure(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		pod      string
		settings []setting
		spoil    func(*lab)
		args     []string
		want     []string
	}{
		{name: "no interface", pod: "plain w1",
			want: []string{"no Multus interface", "only lo, eth0", "k8s.v1.cni.cncf.io/networks"}},
		{name: "a named interface is missing", pod: upf, args: []string{"--interfaces", "net1,net7"},
			want: []string{"Interface net7 does not exist", "lo, eth0, net1"}},
		{name: "a named interface has no address", pod: upf + " net2=w1-media", args: []string{"--interfaces", "net1,net2"},
			want: []string{"Interface net2 has no address"}},
		{name: "no interface has an address", pod: "upf w1 net1=w1-sig",
			want: []string{"No Multus interface has an address", "net1", "ipam"}},
		{name: "no ENI below the interface", pod: upf, spoil: func(l *lab) { l.addStranger("upf", "172.16.0.5/24") },
			want: []string{"172.16.0.5 on net9", "No ENI lies below", "ENI:w1-sig", "Attach an ENI"}},
		{name: "two ENIs could lie below", pod: upf, spoil: func(l *lab) { l.addStranger("upf", "10.0.1.105/24") },
			want: []string{"10.0.1.105 on net9", "ENI:w1-sig", "ENI:w1-sig2", "ipvlan"}},
		{name: "the address is on two interfaces", pod: "upf w1 net1=w1-sig,10.0.1.100/24 net2=w1-sig2,10.0.1.100/24",
			want: []string{"10.0.1.100 on net1", "10.0.1.100 on net2", "ENI:w1-sig", "ENI:w1-sig2", "take it off one"}},
		{name: "the ENI is full", pod: "upf w1 net1=w1-sig,10.0.1.100/24,10.0.1.102/24,10.0.1.103/24", settings: []setting{limited(3)},
			want: []string{"10.0.1.103", "ENI:w1-sig", "is full with 3 IPv4 addresses", "m5.4xlarge", "PrivateIpAddressLimitExceeded", "more addresses per interface"}},
		{name: "the address is a worker's primary", pod: "upf w1 net1=w1-sig,10.0.1.12/24",
			want: []string{"10.0.1.12 on net1", "ENI:w1-sig", "ENI:w2-sig", "subnet CIDR reservation"}},
		{name: "not allowed to assign", pod: upf, spoil: func(l *lab) { l.VPC.Deny("", "Assign*") },
			want: []string{"10.0.1.100", "ENI:w1-sig", "UnauthorizedOperation", "Allow ec2:AssignPrivateIpAddresses", "Allow ec2:AssignIpv6Addresses"}},
		{name: "credentials are wrong", pod: upf, spoil: func(l *lab) { l.VPC.Inject(model.Fault{Code: "AuthFailure"}) },
			want: []string{"10.0.1.100", "ENI:w1-sig", "AuthFailure", "IRSA"}},
		{name: "EC2 is unreachable", pod: upf, spoil: func(l *lab) { l.cutOff("upf", unix.RTN_UNREACHABLE) },
			want: []string{"10.0.1.100", "ENI:w1-sig", "no route to host", "Give the pod a way to the EC2 endpoint"}},
		{name: "EC2 answers nothing but errors", pod: upf, spoil: func(l *lab) { l.VPC.Inject(model.Fault{Code: "InternalError", HTTPStatus: 500}) },
			want: []string{"10.0.1.100", "ENI:w1-sig", "InternalError"}},
		{name: "the ENI is the primary one", pod: "upf w1 net1=w1-node,10.0.0.100/24",
			want: []string{"10.0.0.100 on net1", "ENI:w1-node", "device index 0", "an ENI of its own"}},
		{name: "the ENI is the VPC CNI's", pod: "upf w1 net1=w1-managed,10.0.3.100/24",
			want: []string{"10.0.3.100 on net1", "ENI:w1-managed", "node.k8s.amazonaws.com/no_manage=true", "Tag the ENI"}},
		{name: "IMDS keeps pods out and describing is not allowed", pod: upf,
			spoil: func(l *lab) { l.hopLimit(1); l.VPC.Deny("", "Describe*") }, args: []string{"--timeout", "5s"},
			want: []string{"Allow ec2:DescribeNetworkInterfaces", "HttpPutResponseHopLimit to 2"}},
		{name: "no credentials anywhere", pod: upf, settings: []setting{instanceRole},
			spoil: func(l *lab) { l.VPC.TuneIMDS("", func(s *model.IMDSState) { s.Down = true }) }, args: []string{"--timeout", "20s"},
			want: []string{"Give the pod credentials"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, []string{tt.pod}, tt.settings...)
			if tt.spoil != nil {
				tt.spoil(l)
			}
			pod := l.VPC.Topology().Pods[0].Name
			c := l.container(pod)
			p := c.run(append([]string{"init", "--timeout", "3s"}, tt.args...)...)
			p.wantExit(1)
			for _, w := range tt.want {
				w = l.spellENI(w)
				wantText(t, "the termination message", c.message(), w)
				wantText(t, "standard error", p.stderr.String(), w)
			}
			t.Log(c.message())
		})
	}
}

// hopLimit sets that of all workers' IMDS; 1 keeps pods out.
func (l *lab) hopLimit(n int) {
	l.VPC.TuneIMDS("", func(s *model.IMDSState) { s.HopLimit = n })
}

// addStranger gives a pod the interface net9, which lies on no ENI.
func (l *lab) addStranger(pod, address string) {
	l.t.Helper()
	h, err := l.Fabric.Pod(pod).Handle()
	check(l.t, err)
	check(l.t, h.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "net9"}, PeerName: "eth0-peer"}))
	link, err := h.LinkByName("net9")
	check(l.t, err)
	check(l.t, h.LinkSetUp(link))
	l.add(pod, "net9", address)
}

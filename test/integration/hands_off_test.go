// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// TestForeignENIsAreUsedOnlyWhenAllowed: law 9. w1-node is the primary ENI,
// w1-managed lacks the tag.
func TestForeignENIsAreUsedOnlyWhenAllowed(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{"upf w1 net1=w1-node,10.0.0.100/24 net2=w1-managed,10.0.3.100/24"})
	l.container("upf").run("init", "--timeout=2s").wantExit(1)
	l.wantHeld("w1-node")
	l.wantHeld("w1-managed")
	l.container("upf").run("init", "--timeout=2s", "--allow-managed-eni").wantExit(1)
	l.wantHeld("w1-node")
	l.wantHeld("w1-managed", "10.0.3.100")
	l.container("upf").run("init", "--allow-managed-eni", "--allow-primary-eni").wantExit(0)
	l.wantHeld("w1-node", "10.0.0.100")
}

func TestTheWorkersOwnNetworkIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"init", "sidecar"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, nil)
			c := l.onWorker("w1")
			began := time.Now()
			c.run(mode, "--allow-primary-eni", "--allow-managed-eni").wantExit(1)
			if took := time.Since(began); took > patience/2 {
				t.Errorf("it took %v", took)
			}
			wantText(t, "the termination message", c.message(), "worker's own network", "10.0.0.11", l.id("w1-node"), "without hostNetwork")
			for _, call := range l.VPC.Calls() {
				if !strings.HasPrefix(call.Action, "Describe") {
					t.Errorf("EC2 was asked to %s %v", call.Action, call.Addresses)
				}
			}
		})
	}
}

// TestWithoutTheRightToDescribeTheWorkGoesOn: law 9; one warning, with the cure.
func TestWithoutTheRightToDescribeTheWorkGoesOn(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{upf})
	l.VPC.Deny("", "Describe*")
	c := l.container("upf")
	p := c.ready()
	l.wantHeld("w1-sig", "10.0.1.100", "2001:db8:0:1::100")
	l.add("upf", "net1", floating4)
	l.untilHeld("w1-sig", "10.0.1.100", floating4, "2001:db8:0:1::100")
	p.terminate()
	p.wantExit(0)
	l.wantHeld("w1-sig")
	if n := len(p.logged("not allowed to describe ENIs", "level", "WARN")); n != 1 {
		t.Errorf("%d warnings, want 1", n)
	}
	wantText(t, "the warning", p.stdout.String(), "Allow ec2:DescribeNetworkInterfaces")
}

func TestWhereIMDSKeepsPodsOutENIsAreFoundByMAC(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, cure string
		tune       func(*model.IMDSState)
	}{
		{"hop limit 1", "HttpPutResponseHopLimit to 2", func(s *model.IMDSState) { s.HopLimit = 1 }},
		{"blocked", "Let the pod reach 169.254.169.254", func(s *model.IMDSState) { s.Blocked = true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// w1-sig and w1-sig2 share a subnet: only the MAC address tells them apart.
			l := newLab(t, []string{"upf w1 net1=w1-sig2,10.0.1.100/24,2001:db8:0:1::100/64"})
			l.VPC.TuneIMDS("", tt.tune)
			time.Sleep(100 * time.Millisecond) // the network follows IMDS's state within 20 ms
			p := l.container("upf").run("init", "--timeout", patience.String())
			p.wantExit(0)
			l.wantHeld("w1-sig2", "10.0.1.100", "2001:db8:0:1::100")
			l.wantCalls("AssignIpv6Addresses×1 AssignPrivateIpAddresses×1 DescribeNetworkInterfaces×1")
			warnings := p.logged("instance metadata not used", "level", "WARN")
			if len(warnings) != 1 {
				t.Fatalf("%d warnings, want 1", len(warnings))
			}
			wantText(t, "the warning", warnings[0]["reason"].(string), tt.cure)
		})
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// TestFloatingAddressMovesWithOneCall: law 3. The standby takes the address
// while the active pod, which is cut off, still has it.
func TestFloatingAddressMovesWithOneCall(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, address string
		calls         []string // at the claimer, by name
		most          int
	}{
		{"IPv4", floating4, []string{"AssignPrivateIpAddresses"}, 1},
		// EC2 has no reassignment for IPv6: asked for while it is looked up, taken, and asked
		// for again, unless the first call reaches EC2 after the taking.
		{"IPv6", floating6, []string{"AssignIpv6Addresses", "DescribeNetworkInterfaces", "UnassignIpv6Addresses"}, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, []string{upf, standby, client})
			l.container("client").run("init").wantExit(0)
			l.add("upf", "net1", tt.address)
			l.container("upf").ready()
			l.container("standby").ready()
			l.answers("upf", tt.address)
			l.untilReaches("client", tt.address, "upf")

			l.VPC.ResetCalls()
			l.add("standby", "net1", tt.address)
			l.answers("standby", tt.address)
			l.untilReaches("client", tt.address, "standby")
			l.untilHeld("w2-sig", "10.0.1.101", "2001:db8:0:1::101", tt.address)
			// Calls overlap, and EC2 has them in any order, but for the taking.
			calls := actions(l.callsOf("w2"))
			if taking := slices.Index(calls, "UnassignIpv6Addresses"); taking >= 0 && slices.Index(calls, "DescribeNetworkInterfaces") > taking {
				t.Errorf("the claimer took the address before it looked who has it: %v", calls)
			}
			slices.Sort(calls)
			if !slices.Equal(slices.Compact(slices.Clone(calls)), tt.calls) || len(calls) > tt.most {
				t.Errorf("the claimer's calls are %v, want %v, at most %d", calls, tt.calls, tt.most)
			}
			for _, c := range l.callsOf("w2", "Assign*") {
				if !slices.Equal(c.Addresses, []string{tt.address}) {
					t.Errorf("%s names %v, want %s only", c.Action, c.Addresses, tt.address)
				}
			}

			// The old active pod lets go in the end, and takes nothing with it.
			l.del("upf", "net1", tt.address)
			l.eventually("its release settled", func() (any, bool) {
				calls := l.callsOf("w1", "Unassign*")
				return actions(calls), len(calls) == 1 && calls[0].Done
			})
			l.untilReaches("client", tt.address, "standby")
			l.wantHeld("w2-sig", "10.0.1.101", "2001:db8:0:1::101", tt.address)
		})
	}
}

func actions(calls []model.Call) []string {
	var names []string
	for _, c := range calls {
		names = append(names, c.Action)
	}
	return names
}

// TestHandoversLoseNothing: the old active pod lets go at the moment at which
// the new one takes over, again and again.
func TestHandoversLoseNothing(t *testing.T) {
	t.Parallel()
	for _, address := range []string{floating4, floating6} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, []string{upf, standby}, latent(4*time.Millisecond, 8*time.Millisecond))
			pods := [...]string{"upf", "standby"}
			sidecars := [...]*process{l.container("upf").ready(), l.container("standby").ready()}
			l.add(pods[1], "net1", address)
			sidecars[1].untilTold("address assigned", address, 1)
			for round := range 20 {
				to, from := round%2, 1-round%2
				l.del(pods[from], "net1", address)
				l.add(pods[to], "net1", address)
				sidecars[to].untilTold("address assigned", address, 1+round/2+to) // standby has had it at first
				sidecars[from].untilTold("address gone", address, 1+round/2)
				owner, _ := l.VPC.Owner(netip.MustParseAddr(address))
				if want := l.Fabric.Pod(pods[to]).Worker().Name; owner.Worker != want {
					t.Fatalf("in round %d EC2 has %s on %q, want it on %s's", round, address, owner.Name, want)
				}
			}
		})
	}
}

// untilTold waits until the log has told something of an address n times.
func (p *process) untilTold(msg, address string, n int) {
	p.lab.t.Helper()
	p.lab.eventually(fmt.Sprintf("%d times told: %s %s", n, msg, address), func() (any, bool) {
		got := len(p.logged(msg, "address", address))
		return got, got >= n
	})
}

// TestManyFloatingAddressesMoveWithOneCallPerENIAndFamily: what appears at
// once is asked for at once.
func TestManyFloatingAddressesMoveWithOneCallPerENIAndFamily(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{upf, "standby w2 net1=w2-sig,10.0.1.101/24 net2=w2-media,10.0.2.101/24"})
	var sig, media []string
	for i := range 8 {
		sig = append(sig, netip.AddrFrom4([4]byte{10, 0, 1, byte(200 + i)}).String())
		media = append(media, netip.AddrFrom4([4]byte{10, 0, 2, byte(200 + i)}).String())
	}
	l.add("upf", "net1", sig...)
	c := l.container("upf")
	c.ready()
	s := l.container("standby")
	s.ready()
	l.VPC.ResetCalls()
	// While the first call is in flight the others form the next plan.
	l.VPC.Inject(model.Fault{Action: "Assign*", Count: 2, Delay: patience / 60})
	l.add("standby", "net1", sig...)
	l.add("standby", "net2", media...)
	l.untilHeld("w2-sig", append(sig, "10.0.1.101")...)
	l.untilHeld("w2-media", append(media, "10.0.2.101")...)
	if n := len(l.callsOf("w2", "Assign*")); n > 4 {
		t.Errorf("%d calls, want 2 per ENI at most", n)
	}
}

// TestRestartedStandbyDoesNotSteal: law 6. A container that is killed and
// started again has a floating address that went to the other pod meanwhile.
func TestRestartedStandbyDoesNotSteal(t *testing.T) {
	t.Parallel()
	for _, address := range []string{floating4, floating6} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, []string{upf, standby, client})
			l.container("client").run("init").wantExit(0)
			stale := l.container("standby")
			l.add("standby", "net1", address)
			stale.ready().kill()
			l.add("upf", "net1", address)
			l.answers("upf", address)
			l.container("upf").ready()
			l.untilReaches("client", address, "upf")

			l.VPC.ResetCalls()
			p := stale.start("sidecar", "--hold-down=5m")
			row := stale.untilState(address, "Contested")
			if row.Owner != l.id("w1-sig") && row.Owner != "" {
				t.Errorf("the owner is said to be %s, want %s", row.Owner, l.id("w1-sig"))
			}
			l.untilReaches("client", address, "upf")
			for _, c := range l.VPC.Calls() {
				if c.Worker == "w2" && (c.Params["AllowReassignment"] == "true" || c.Action == "UnassignIpv6Addresses") {
					t.Errorf("the standby asked to %s %v", c.Action, c.Params)
				}
			}
			p.terminate()
			p.wantExit(0)
			l.wantHeld("w2-sig")
			l.wantHeld("w1-sig", "10.0.1.100", "2001:db8:0:1::100", address)
		})
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package laws

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// newAuditor knows senders by their access keys.
func newAuditor(roundTrip time.Duration) *Auditor {
	return New(Config{RoundTrip: roundTrip, HoldDown: 10 * time.Second, HoldDownMax: time.Minute, Sender: func(c model.Call) string { return c.AccessKey }})
}

// whole are the moments of a call that did what it asked.
var whole = []model.Moment{model.Arrived, model.Worked, model.Answered}

// see lets the auditor witness moments of a call.
func see(a *Auditor, c model.Call, moments ...model.Moment) {
	for _, m := range moments {
		c.Time = time.Now()
		a.Witness(m, c)
	}
}

// A pod claims an IPv6 address and is told that it has it; somebody else takes
// it, and the pod unassigns it there. Where that call crossed the answer it is
// the claim; later it would be a theft before the hold-down.
func TestMoveThatCrossesItsAnswerIsTheClaim(t *testing.T) {
	for name, tt := range map[string]struct {
		later time.Duration // the unassign, than the answer
		wrong int
	}{
		"before":  {-time.Millisecond, 0},
		"crosses": {0, 0},
		"later":   {time.Millisecond, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAuditor(0)
				addr := netip.MustParseAddr("2600:1::200")
				a.Started("a", "eni-a", true)
				a.Appeared("a", addr)
				time.Sleep(time.Minute)
				witness := func(action, sender, eni, before string, moments ...model.Moment) {
					see(a, model.Call{Action: action, AccessKey: sender, ENI: eni, Addresses: []string{addr.String()}, Before: []string{before}}, moments...)
				}
				witness("AssignIpv6Addresses", "a", "eni-a", "", model.Arrived, model.Worked)
				witness("UnassignIpv6Addresses", "operator", "eni-a", "eni-a", model.Worked)
				witness("AssignIpv6Addresses", "b", "eni-b", "", model.Worked)
				if tt.later < 0 {
					witness("UnassignIpv6Addresses", "a", "eni-b", "eni-b", model.Arrived)
				}
				witness("AssignIpv6Addresses", "a", "eni-a", "", model.Answered)
				if time.Sleep(tt.later); tt.later >= 0 {
					witness("UnassignIpv6Addresses", "a", "eni-b", "eni-b", model.Arrived)
				}
				witness("UnassignIpv6Addresses", "a", "eni-b", "eni-b", model.Worked, model.Answered)
				witness("AssignIpv6Addresses", "a", "eni-a", "", whole...)
				if _, breaches := a.Result(); len(breaches) != tt.wrong {
					t.Errorf("%d breaches, want %d: %q", len(breaches), tt.wrong, breaches)
				}
			})
		})
	}
}

// An address that went and came back has two claims under way, and EC2 does the first
// one last, when the other was answered and a rival has the address: that is no
// theft. A third one, sent after the answer, would be.
func TestTheFirstOfTwoClaimsMayBeDoneLast(t *testing.T) {
	for name, tt := range map[string]struct {
		late  bool
		wrong int
	}{
		"sent before the answer": {false, 0},
		"sent after it":          {true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAuditor(0)
				addr := netip.MustParseAddr("10.0.1.200")
				a.Started("a", "eni-a", true)
				time.Sleep(time.Minute)
				a.Appeared("a", addr)
				claim := func(sender, eni, before string) model.Call {
					return model.Call{Action: "AssignPrivateIpAddresses", AccessKey: sender, ENI: eni, Addresses: []string{addr.String()}, Before: []string{before}, Time: time.Now()}
				}
				first := claim("a", "eni-a", "eni-b")
				a.Witness(model.Arrived, first)
				time.Sleep(time.Second)
				a.Vanished("a", addr)
				a.Appeared("a", addr)
				see(a, claim("a", "eni-a", ""), whole...)
				time.Sleep(time.Second)
				see(a, claim("b", "eni-b", "eni-a"), model.Worked)
				if tt.late {
					first = claim("a", "eni-a", "eni-b")
					a.Witness(model.Arrived, first)
				}
				a.Witness(model.Worked, first)
				a.Witness(model.Answered, first)
				if _, breaches := a.Result(); len(breaches) != tt.wrong {
					t.Errorf("%d breaches, want %d: %q", len(breaches), tt.wrong, breaches)
				}
			})
		})
	}
}

// A pod has released an address, and its sibling on the ENI is given it. What a
// lost answer or the siblings' talk once excused is over then: whoever unassigns
// the sibling's address breaks law 5.
func TestReleasedIsNotReleasedAgainFromASibling(t *testing.T) {
	for name, tt := range map[string]struct {
		before bool // the sibling was there when the address was the first pod's
		code   string
	}{
		"told":            {before: true},
		"told, in doubt":  {before: true, code: model.CodeDropped},
		"alone":           {},
		"alone, in doubt": {code: model.CodeDropped},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAuditor(time.Second)
				addr := netip.MustParseAddr("10.0.1.200")
				call := func(action, sender, before, code string) {
					see(a, model.Call{Action: action, AccessKey: sender, ENI: "eni-a", Code: code, Addresses: []string{addr.String()}, Before: []string{before}}, whole...)
				}
				a.Started("a", "eni-a", true)
				if tt.before {
					a.Started("b", "eni-a", true)
				}
				a.Appeared("a", addr)
				call("AssignPrivateIpAddresses", "a", "", tt.code)
				a.Vanished("a", addr)
				call("UnassignPrivateIpAddresses", "a", "eni-a", "")
				time.Sleep(time.Hour)
				if !tt.before {
					a.Started("b", "eni-a", true)
				}
				a.Appeared("b", addr)
				call("AssignPrivateIpAddresses", "b", "", "")
				if _, breaches := a.Result(); len(breaches) > 0 {
					t.Fatal(breaches)
				}
				call("UnassignPrivateIpAddresses", "a", "eni-a", "")
				if _, breaches := a.Result(); len(breaches) != 1 {
					t.Errorf("%d breaches, want 1: %q", len(breaches), breaches)
				}
			})
		})
	}
}

// A pod is refused a route, and dies while it asks again; another pod has the
// route when it is back. Where that was a dry run it knows that it never had the
// route, which is free to be claimed; else it cannot know, and has to hold it.
func TestDryRunLeavesNoDoubt(t *testing.T) {
	for name, tt := range map[string]struct {
		dry   bool
		wrong int
	}{
		"a dry run": {true, 0},
		"a claim":   {false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAuditor(0)
				call := func(sender, before, code string, dry bool, moments ...model.Moment) {
					see(a, model.Call{Action: "ReplaceRoute", AccessKey: sender, ENI: "eni-" + sender, RouteTable: "rtb-1",
						Addresses: []string{"192.0.2.200/32"}, Before: []string{before}, Code: code, DryRun: dry}, moments...)
				}
				a.Started("a", "eni-a", true)
				a.Appeared("a", netip.MustParseAddr("192.0.2.200"))
				call("a", "", "RequestLimitExceeded", false, model.Arrived, model.Answered)
				call("a", "", model.CodeCanceled, tt.dry, model.Arrived, model.Answered)
				a.Died("a")
				call("operator", "", "", false, whole...)
				time.Sleep(time.Minute)
				a.Started("a", "eni-a", false)
				call("a", "eni-operator", "", false, whole...)
				if _, breaches := a.Result(); len(breaches) != tt.wrong {
					t.Errorf("%d breaches, want %d: %q", len(breaches), tt.wrong, breaches)
				}
			})
		})
	}
}

// A pod that has another ENI now finds an address on its former one, where it
// does not know it from: to take it from there is a move as from anybody.
func TestMoveFromAFormerENI(t *testing.T) {
	for name, tt := range map[string]struct {
		addr  string
		again bool // after an acknowledgement, which ends the right to take it
		wrong int
	}{
		"appeared":               {"2600:1::200", false, 0},
		"before the hold-down":   {"2600:1::200", true, 1},
		"IPv4 needs no unassign": {"10.0.1.200", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAuditor(0)
				addr := netip.MustParseAddr(tt.addr)
				call := func(action, sender, eni, before string) {
					see(a, model.Call{Action: action, AccessKey: sender, ENI: eni, Addresses: []string{addr.String()}, Before: []string{before}}, whole...)
				}
				a.Found(addr, "eni-old")
				a.Started("a", "eni-old", true)
				a.Rehomed("a", "eni-new")
				a.Appeared("a", addr)
				if tt.again {
					call("AssignIpv6Addresses", "a", "eni-new", "")
					call("AssignIpv6Addresses", "operator", "eni-old", "eni-new")
					time.Sleep(time.Second)
				}
				call("UnassignIpv6Addresses", "a", "eni-old", "eni-old")
				call("AssignIpv6Addresses", "a", "eni-new", "")
				if _, breaches := a.Result(); len(breaches) != tt.wrong {
					t.Errorf("%d breaches, want %d: %q", len(breaches), tt.wrong, breaches)
				}
			})
		})
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"pgregory.net/rapid"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/ec2api"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/imdsapi"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// world is two workers whose signalling ENIs share a subnet.
const world = `
vpc: {cidrs: [10.0.0.0/16, "2600:1f14:1:200::/56"]}
subnets:
- {name: node, cidr: 10.0.0.0/24}
- {name: sig, cidr: 10.0.1.0/24, ipv6: "2600:1f14:1:201::/64"}
workers:
- name: worker1
  type: m5.xlarge
  ipv4-per-eni: 8
  ipv6-per-eni: 8
  enis:
  - {name: node1, index: 0, subnet: node, ip: 10.0.0.11}
  - {name: sig1, index: 1, subnet: sig, ip: 10.0.1.11, ipv6: ["2600:1f14:1:201::11"], primary-ipv6: true,
     secondary: [10.0.1.40], prefixes: [10.0.1.160/28], tags: {node.k8s.amazonaws.com/no_manage: "true"}}
- name: worker2
  ipv4-per-eni: 8
  ipv6-per-eni: 8
  enis:
  - {name: node2, index: 0, subnet: node, ip: 10.0.0.12}
  - {name: sig2, index: 1, subnet: sig, ip: 10.0.1.12, ipv6: ["2600:1f14:1:201::12", "2600:1f14:1:201::50", "2600:1f14:1:201::51"], primary-ipv6: true,
     secondary: [10.0.1.50, 10.0.1.51], prefixes: [10.0.1.144/28]}
`

func newSim(t interface{ Fatal(...any) }) (*model.VPC, *eniassign.Client) {
	topo, err := topology.Parse("world.yaml", []byte(world))
	if err != nil {
		t.Fatal(err)
	}
	v, err := model.New(topo)
	if err != nil {
		t.Fatal(err)
	}
	config := func(h http.Handler) aws.Config {
		return aws.Config{
			Region:     "eu-central-1",
			HTTPClient: &http.Client{Transport: ec2api.Transport{Handler: h}},
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret"}, nil
			}),
		}
	}
	return v, &eniassign.Client{
		EC2:  eniassign.NewEC2(config(ec2api.New(v))),
		IMDS: eniassign.NewIMDS(config(imdsapi.New(v, "worker1"))),
	}
}

func eniID(name string) string { return topology.DeriveID("eni", name) }

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

// TestStart: IMDS tells the ENIs, one Describe what is there, one Assign per
// family does the rest.
func TestStart(t *testing.T) {
	v, c := newSim(t)
	mac := topology.DeriveMAC("sig1")
	inv, err := c.Inventory(t.Context(), []string{mac})
	if err != nil || !inv.FromIMDS || inv.InstanceType != "m5.xlarge" || len(inv.ENIs) != 2 {
		t.Fatalf("inventory %+v, %v", inv, err)
	}
	if n := len(v.Calls()); n != 0 {
		t.Fatalf("%d EC2 calls for the inventory", n)
	}
	eni, err := eniassign.Match(mac, ip("10.0.1.100"), inv.ENIs, eniassign.Policy{})
	if err != nil || eni.ID != eniID("sig1") {
		t.Fatalf("match %+v, %v", eni, err)
	}
	fresh, err := c.Describe(t.Context(), []string{eni.ID})
	if err != nil || len(fresh) != 1 || fresh[0].PrimaryIPv6 != ip("2600:1f14:1:201::11") || fresh[0].Tags[eniassign.NoManageTag] != "true" {
		t.Fatalf("describe %+v, %v", fresh, err)
	}
	var items []eniassign.Item
	for _, a := range []string{"10.0.1.100", "10.0.1.101", "10.0.1.40", "10.0.1.161", "2600:1f14:1:201::100"} {
		items = append(items, eniassign.Item{ENI: eni.ID, Addr: ip(a), Verb: eniassign.Claim})
	}
	calls, done := eniassign.Plan(items, fresh)
	if len(calls) != 2 || len(done) != 2 {
		t.Fatalf("plan %+v, done %+v", calls, done)
	}
	for _, call := range calls {
		for _, o := range c.Do(t.Context(), call) {
			if o.Reason != nil {
				t.Errorf("%s: %v", o.Addr, o.Reason)
			}
		}
	}
	if n := len(v.Calls()); n != 3 {
		t.Errorf("%d EC2 calls, want 3: %+v", n, v.Calls())
	}
	hint, err := c.Hint(t.Context(), eni)
	if err != nil || !slices.Contains(hint.Addresses, ip("10.0.1.100")) {
		t.Errorf("hint %+v, %v", hint, err)
	}
}

func TestInventoryWithoutIMDS(t *testing.T) {
	for name, tune := range map[string]func(*model.IMDSState){
		"blocked": func(s *model.IMDSState) { s.Blocked = true },
		"down":    func(s *model.IMDSState) { s.Down = true },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, c := newSim(t)
				v.TuneIMDS("", tune)
				start := time.Now()
				inv, err := c.Inventory(t.Context(), []string{topology.DeriveMAC("sig1")})
				if err != nil || inv.FromIMDS || inv.IMDSError == "" || len(inv.ENIs) != 1 || inv.ENIs[0].ID != eniID("sig1") {
					t.Errorf("inventory %+v, %v", inv, err)
				}
				if took := time.Since(start); took > time.Second {
					t.Errorf("took %v", took)
				}
				if n := len(v.Calls("DescribeNetworkInterfaces")); n != 1 {
					t.Errorf("%d Describes", n)
				}
			})
		})
	}
}

// TestLostAnswer: a call that was done, and whose answer was lost, is in doubt.
func TestLostAnswer(t *testing.T) {
	v, c := newSim(t)
	v.Inject(model.Fault{Action: "AssignPrivateIpAddresses", Drop: model.DropAfter, Count: 1})
	call := eniassign.Call{Verb: eniassign.Claim, ENI: eniID("sig1"), Family: eniassign.IPv4, Addrs: []netip.Addr{ip("10.0.1.50")}}
	if o := c.Do(t.Context(), call)[0]; o.Reason == nil || !o.InDoubt || o.Reason.Class != eniassign.Transient {
		t.Errorf("got %+v", o)
	}
	if o := c.Do(t.Context(), call)[0]; o.Reason != nil {
		t.Errorf("the second time: %v", o.Reason)
	}
}

// drawFault loses or refuses calls of one of the actions.
func drawFault(rt *rapid.T, actions ...string) model.Fault {
	f := model.Fault{Action: rapid.SampledFrom(actions).Draw(rt, "action")}
	if rapid.Bool().Draw(rt, "drop") {
		f.Drop = rapid.SampledFrom([]model.Drop{model.DropBefore, model.DropAfter}).Draw(rt, "when")
	} else {
		f.Code = rapid.SampledFrom([]string{model.CodeThrottled, model.CodeInternal, model.CodeUnauthorized}).Draw(rt, "code")
	}
	return f
}

// TestWhatHasComeIsTold: whatever fails, an address that has come to the ENI is
// called done or in doubt. Else nobody would release it.
func TestWhatHasComeIsTold(t *testing.T) {
	pools := map[eniassign.Family][]string{
		eniassign.IPv4: {"10.0.1.12", "10.0.1.50", "10.0.1.51", "10.0.1.100", "10.0.1.101", "10.0.1.102", "10.0.1.150", "10.0.1.161", "10.0.2.7"},
		eniassign.IPv6: {"2600:1f14:1:201::12", held6, held6b, free6, "2600:1f14:1:201::101", "2600:1f14:1:999::1"},
	}
	outer := t
	rapid.Check(t, func(rt *rapid.T) {
		synctest.Test(outer, func(*testing.T) {
			v, c := newSim(rt)
			v.Assume(func(a *topology.Assumptions) {
				a.IPv6SameENIRefused = rapid.Bool().Draw(rt, "IPv6 same ENI refused")
				a.IPv4SameENIRefused = rapid.Bool().Draw(rt, "IPv4 same ENI refused")
			})
			v.Tune(func(e *topology.EC2) { e.Latency, e.Jitter = 100*ms, 200*ms })
			call := eniassign.Call{
				ENI: eniID("sig1"), Family: rapid.SampledFrom([]eniassign.Family{eniassign.IPv4, eniassign.IPv6}).Draw(rt, "family"),
				Verb:   rapid.SampledFrom([]eniassign.Verb{eniassign.Claim, eniassign.Hold}).Draw(rt, "verb"),
				Urgent: rapid.Bool().Draw(rt, "urgent"),
			}
			pool := pools[call.Family]
			for _, a := range rapid.SliceOfNDistinct(rapid.SampledFrom(pool), 1, len(pool), rapid.ID).Draw(rt, "addresses") {
				call.Addrs = append(call.Addrs, ip(a))
			}
			slices.SortFunc(call.Addrs, netip.Addr.Compare)
			for range rapid.IntRange(1, 6).Draw(rt, "faults") {
				f := drawFault(rt, "Assign*", "Unassign*", "Describe*", "*")
				f.Count = rapid.IntRange(1, 2).Draw(rt, "count")
				v.Inject(f)
			}
			before := v.Addresses("sig1")
			outcomes := c.Do(context.Background(), call)
			synctest.Wait()
			for _, o := range outcomes {
				if o.Reason != nil && !o.InDoubt && slices.Contains(v.Addresses("sig1"), o.Addr) && !slices.Contains(before, o.Addr) {
					rt.Fatalf("%s has come, and nobody is told: %+v, after %s", o.Addr, o.Reason, actions(v))
				}
			}
		})
	})
}

// TestFullENITakesFromNobody: whatever EC2 says of a full ENI, which is not
// documented for IPv6, an address that has no room there stays with its owner.
func TestFullENITakesFromNobody(t *testing.T) {
	const held = "2600:1f14:1:201::50"
	for _, tt := range []struct {
		name, code, message string
		want                eniassign.Code
	}{
		{"as assumed", "", "", eniassign.ENIFull},
		{"by code", "Ipv6AddressLimitExceeded", "Too many.", eniassign.ENIFull},
		{"in words", "InvalidParameterValue", "The number of IPv6 addresses exceeds the limit of the instance type.", eniassign.ENIFull},
		{"as nobody knows", "Odd", "No.", eniassign.UnknownRefusal},
	} {
		for _, urgent := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/urgent %v", tt.name, urgent), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					v, c := newSim(t)
					v.Assume(func(a *topology.Assumptions) {
						if tt.code != "" {
							a.IPv6LimitCode, a.IPv6LimitMessage = tt.code, tt.message
						}
					})
					fill := eniassign.Call{Verb: eniassign.Claim, ENI: eniID("sig1"), Family: eniassign.IPv6}
					for i := range 7 {
						fill.Addrs = append(fill.Addrs, ip(fmt.Sprintf("2600:1f14:1:201::a%d", i)))
					}
					for _, o := range c.Do(t.Context(), fill) {
						if o.Reason != nil {
							t.Fatal(o.Reason)
						}
					}
					v.ResetCalls()
					o := c.Do(t.Context(), eniassign.Call{Verb: eniassign.Claim, ENI: eniID("sig1"), Family: eniassign.IPv6, Urgent: urgent, Addrs: []netip.Addr{ip(held)}})[0]
					if o.Reason == nil || o.Reason.Code != tt.want || o.Reason.Class != eniassign.Permanent || o.Freed || o.InDoubt {
						t.Errorf("outcome %+v, %v", o, o.Reason)
					}
					if e, _ := v.Owner(ip(held)); e.Name != "sig2" {
						t.Errorf("%s is on %q now, after %s: %v", held, e.Name, actions(v), o.Reason)
					}
				})
			})
		}
	}
}

// TestHoldersOfMany: EC2 counts the values of all filters of a request.
func TestHoldersOfMany(t *testing.T) {
	v, c := newSim(t)
	addrs := []netip.Addr{ip("10.0.1.20")}
	for len(addrs) < 201 {
		addrs = append(addrs, addrs[len(addrs)-1].Next())
	}
	found, err := c.Holders(t.Context(), eniassign.ENI{ID: eniID("sig1"), VPCID: topology.DeriveID("vpc", "vpc")}, addrs)
	if err != nil || len(found) != 3 || len(v.Calls()) != 2 {
		t.Errorf("%d holders, %v, after %s", len(found), err, actions(v))
	}
}

// TestWhateverEC2Does: under each outcome of what is not documented, what is
// called done is so, what could be done is, and nobody's primary is lost.
func TestWhateverEC2Does(t *testing.T) {
	v4 := []string{"10.0.1.3", "10.0.1.11", "10.0.1.12", "10.0.1.40", "10.0.1.50", "10.0.1.51", "10.0.1.100", "10.0.1.101", "10.0.1.102", "10.0.1.150", "10.0.1.161", "10.0.2.7"}
	v6 := []string{"2600:1f14:1:201::11", "2600:1f14:1:201::12", "2600:1f14:1:201::50", "2600:1f14:1:201::51", "2600:1f14:1:201::100", "2600:1f14:1:201::101", "2600:1f14:1:999::1"}
	impossible := []string{"10.0.1.3", "10.0.1.12", "10.0.1.150", "10.0.2.7", "2600:1f14:1:201::12", "2600:1f14:1:999::1"}
	owned := []string{"10.0.1.50", "10.0.1.51", "2600:1f14:1:201::50", "2600:1f14:1:201::51"}
	outer := t
	rapid.Check(t, func(rt *rapid.T) {
		synctest.Test(outer, func(*testing.T) {
			v, c := newSim(rt)
			v.Assume(func(a *topology.Assumptions) {
				a.IPv6OwnedElsewhereCode = rapid.SampledFrom([]string{"InvalidParameterValue", "InvalidIPAddress.InUse", "ResourceInUse", "UnsupportedOperation", "Odd"}).Draw(rt, "owned code")
				a.IPv6OwnedElsewhereMessage = rapid.SampledFrom([]string{"", "{address} is used", "no", "{owner} {eni}", "{address} is an address or prefix of {owner}"}).Draw(rt, "owned message")
				a.IPv6NotMappedCode = rapid.SampledFrom([]string{"InvalidParameterValue", "InvalidNetworkInterfaceID.NotFound", "Odd"}).Draw(rt, "not mapped code")
				a.IPv6SameENIRefused = rapid.Bool().Draw(rt, "IPv6 same ENI refused")
				a.IPv4SameENIRefused = rapid.Bool().Draw(rt, "IPv4 same ENI refused")
				a.AckListsNewOnly = rapid.Bool().Draw(rt, "acknowledgement lists new ones only")
				a.LimitCountsPresent = rapid.Bool().Draw(rt, "limit counts present")
				a.OwnPrefixAccepted = rapid.Bool().Draw(rt, "own prefix accepted")
				a.PrimaryHidesBehindMove = rapid.Bool().Draw(rt, "primary hides")
			})
			call := eniassign.Call{
				ENI: eniID("sig1"), Family: eniassign.IPv4,
				Verb: rapid.SampledFrom([]eniassign.Verb{eniassign.Claim, eniassign.Hold, eniassign.Release}).Draw(rt, "verb"),
			}
			pool := v4
			if rapid.Bool().Draw(rt, "IPv6") {
				call.Family, pool = eniassign.IPv6, v6
			}
			for _, a := range rapid.SliceOfNDistinct(rapid.SampledFrom(pool), 1, len(pool), rapid.ID).Draw(rt, "addresses") {
				call.Addrs = append(call.Addrs, ip(a))
			}
			slices.SortFunc(call.Addrs, netip.Addr.Compare)
			call.Urgent = rapid.Bool().Draw(rt, "urgent")
			call.Owners = map[netip.Addr]string{}
			for _, a := range call.Addrs {
				if name := rapid.SampledFrom([]string{"", "", "sig1", "sig2", "sig2", "node2", "none"}).Draw(rt, "remembered"); name != "" {
					call.Owners[a] = eniID(name)
				}
			}
			v.Tune(func(e *topology.EC2) {
				e.Latency = time.Duration(rapid.IntRange(0, 200).Draw(rt, "latency")) * time.Millisecond
				e.Jitter = time.Duration(rapid.IntRange(0, 100).Draw(rt, "jitter")) * time.Millisecond
			})
			before := map[netip.Addr]string{}
			for _, e := range v.ENIs() {
				for _, a := range e.Addresses() {
					before[a] = e.Name
				}
			}

			outcomes := c.Do(context.Background(), call)

			if n := len(v.Calls()); n > 32 {
				rt.Fatalf("%d requests", n)
			}
			for _, o := range outcomes {
				onENI := slices.Contains(v.Addresses("sig1"), o.Addr)
				ownPrefix := o.Addr == ip("10.0.1.161")
				switch {
				case call.Verb == eniassign.Release && o.Reason == nil && onENI,
					call.Verb != eniassign.Release && o.Reason == nil && !onENI && !ownPrefix:
					rt.Fatalf("%s is called done", o.Addr)
				case call.Verb == eniassign.Release && o.Reason != nil && o.Addr != ip("10.0.1.11") && o.Addr != ip("2600:1f14:1:201::11"):
					rt.Fatalf("%s was not released: %v", o.Addr, o.Reason)
				case call.Verb == eniassign.Release || o.Reason == nil:
				case slices.Contains(impossible, o.Addr.String()):
					if o.Reason.Class != eniassign.Permanent {
						rt.Fatalf("%s: %s %v", o.Addr, o.Reason.Class, o.Reason)
					}
				case call.Verb == eniassign.Hold && slices.Contains(owned, o.Addr.String()):
					if o.Reason.Class != eniassign.Contested || o.Reason.Owner != eniID("sig2") {
						rt.Fatalf("%s: %+v", o.Addr, o.Reason)
					}
				case o.Reason.Code == eniassign.ENIFull:
					if n := len(v.Addresses("sig1")); n < 8 {
						rt.Fatalf("%s: only %d on the ENI, but %v", o.Addr, n, o.Reason)
					}
				default:
					rt.Fatalf("%s could have been done: %v", o.Addr, o.Reason)
				}
			}
			for a, was := range before {
				if e, _ := v.Owner(a); e.Name != was && !slices.Contains(call.Addrs, a) {
					rt.Fatalf("%s was not asked for and moved from %s to %q", a, was, e.Name)
				} else if e.Name == "" && call.Verb != eniassign.Release {
					rt.Fatalf("%s is nobody's", a)
				}
			}
			if call.Verb != eniassign.Claim {
				for _, a := range owned {
					if e, _ := v.Owner(ip(a)); e.Name != "sig2" {
						rt.Fatalf("%s was taken without a claim", a)
					}
				}
			}
			for a, want := range map[string]string{"10.0.1.11": "sig1", "10.0.1.12": "sig2", "2600:1f14:1:201::11": "sig1", "2600:1f14:1:201::12": "sig2"} {
				if e, _ := v.Owner(ip(a)); e.Name != want {
					rt.Fatalf("primary %s is on %q", a, e.Name)
				}
			}
		})
	})
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"fmt"
	"math/rand"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var verbNames = map[Verb]string{Claim: "claim", Hold: "hold", Release: "release"}

func planTable(calls []Call, done []Item) string {
	var b strings.Builder
	for _, c := range calls {
		fmt.Fprintf(&b, "%s %s %s\n", verbNames[c.Verb], c.ENI, strings.Join(texts(c.Addrs), " "))
	}
	for _, it := range done {
		fmt.Fprintf(&b, "done: %s %s %s\n", verbNames[it.Verb], it.ENI, it.Addr)
	}
	return b.String()
}

func TestPlan(t *testing.T) {
	verbs := map[string]Verb{"claim": Claim, "hold": Hold, "release": Release}
	a := ENI{
		ID: "eni-a", Primary: addr("10.0.1.10"), PrimaryIPv6: addr("2001:db8::a"),
		Addresses: addrs("10.0.1.10 10.0.1.11 2001:db8::a"), Prefixes: prefixes("10.0.1.64/28"),
	}
	stale := ENI{ID: "eni-s", Primary: addr("10.0.2.10")}
	tests := map[string]struct{ items, want string }{
		"nothing": {"", ""},
		"one call for each ENI, verb and family, sorted": {
			`claim eni-s 10.0.2.9
			claim eni-s 10.0.2.8
			claim eni-s 2001:db8::8
			hold eni-s 10.0.2.7
			claim eni-a 10.0.1.40`,
			`claim eni-a 10.0.1.40
			claim eni-s 10.0.2.8 10.0.2.9
			claim eni-s 2001:db8::8
			hold eni-s 10.0.2.7`,
		},
		"what is there needs no call": {
			`claim eni-a 10.0.1.11
			hold eni-a 10.0.1.10
			claim eni-a 10.0.1.65
			hold eni-s 10.0.2.10`,
			`done: hold eni-a 10.0.1.10
			done: claim eni-a 10.0.1.11
			done: claim eni-a 10.0.1.65
			done: hold eni-s 10.0.2.10`,
		},
		"what is not there needs no release, nor a primary, nor a delegated prefix": {
			`release eni-a 10.0.1.12
			release eni-a 10.0.1.10
			release eni-a 2001:db8::a
			release eni-a 10.0.1.66
			release eni-s 10.0.2.10
			release eni-a 10.0.1.11
			release eni-s 10.0.2.12`,
			`release eni-a 10.0.1.11
			release eni-s 10.0.2.12
			done: release eni-a 10.0.1.10
			done: release eni-a 10.0.1.12
			done: release eni-a 10.0.1.66
			done: release eni-a 2001:db8::a
			done: release eni-s 10.0.2.10`,
		},
		"what is wanted is not released": {
			`release eni-s 10.0.2.8
			hold eni-s 10.0.2.8
			claim eni-s ::ffff:10.0.2.8
			release eni-s 10.0.2.9
			hold eni-s 10.0.2.9`,
			`claim eni-s 10.0.2.8
			hold eni-s 10.0.2.9`,
		},
		"a claim waits for nothing but room on its own ENI": {
			`release eni-a 10.0.1.11
			claim eni-a 10.0.1.40
			claim eni-s 10.0.2.8
			hold eni-b 10.0.2.7`,
			`claim eni-s 10.0.2.8
			release eni-a 10.0.1.11
			claim eni-a 10.0.1.40
			hold eni-b 10.0.2.7`,
		},
		"an IPv4 address moves between own ENIs without a gap, an IPv6 address is let go first": {
			`release eni-s 10.0.2.8
			claim eni-b 10.0.2.8
			release eni-t 2001:db8::8
			claim eni-c 2001:db8::8`,
			`claim eni-b 10.0.2.8
			release eni-s 10.0.2.8
			release eni-t 2001:db8::8
			claim eni-c 2001:db8::8`,
		},
		"an unknown ENI gets its calls": {
			`claim eni-z 10.0.9.9`,
			`claim eni-z 10.0.9.9`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var items []Item
			for l := range strings.Lines(tt.items) {
				f := strings.Fields(l)
				items = append(items, Item{Verb: verbs[f[0]], ENI: f[1], Addr: addr(f[2])})
			}
			calls, done := Plan(items, []ENI{a, stale})
			if diff := cmp.Diff(lines(tt.want), planTable(calls, done)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, c := range calls {
				if c.ENI == "eni-a" && c.About.Primary != a.Primary {
					t.Errorf("the call does not know its ENI: %+v", c.About)
				}
			}
		})
	}
}

func TestPlanProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pool := addrs("10.0.1.10 10.0.1.11 10.0.1.12 10.0.1.65 2001:db8::a 2001:db8::b 2001:db8::c")
		anAddr := rapid.SampledFrom(pool)
		var enis []ENI
		for i := range rapid.IntRange(0, 3).Draw(t, "enis") {
			e := ENI{ID: fmt.Sprintf("eni-%d", i), Primary: addr("10.0.1.10")}
			if rapid.Bool().Draw(t, "primary IPv6") {
				e.PrimaryIPv6 = addr("2001:db8::a")
			}
			e.Addresses = rapid.SliceOfN(anAddr, 0, 4).Draw(t, "addresses")
			if rapid.Bool().Draw(t, "prefix") {
				e.Prefixes = prefixes("10.0.1.64/28")
			}
			enis = append(enis, e)
		}
		items := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Item {
			return Item{
				ENI:  rapid.SampledFrom([]string{"eni-0", "eni-1", "eni-2", "eni-9"}).Draw(t, "eni"),
				Addr: anAddr.Draw(t, "addr"),
				Verb: rapid.SampledFrom([]Verb{Claim, Hold, Release}).Draw(t, "verb"),
			}
		}), 0, 30).Draw(t, "items")

		calls, done := Plan(items, enis)

		type place struct {
			eni  string
			addr netip.Addr
		}
		want := map[place]Verb{}
		for _, it := range items {
			p := place{it.ENI, it.Addr}
			if v, ok := want[p]; !ok || it.Verb < v {
				want[p] = it.Verb
			}
		}
		got := map[place]Verb{}
		add := func(p place, v Verb) {
			if _, twice := got[p]; twice {
				t.Fatalf("%v twice", p)
			}
			got[p] = v
		}
		seen := map[string]bool{}
		for _, c := range calls {
			k := fmt.Sprint(c.Verb, c.ENI, c.Family)
			if seen[k] || len(c.Addrs) == 0 {
				t.Fatalf("two calls or an empty one for %s", k)
			}
			seen[k] = true
			for i, a := range c.Addrs {
				add(place{c.ENI, a}, c.Verb)
				if i > 0 && !c.Addrs[i-1].Less(a) || FamilyOf(a) != c.Family {
					t.Fatalf("unsorted or mixed: %v", c.Addrs)
				}
				for _, e := range enis {
					if c.Verb == Release && e.ID == c.ENI && (a == e.Primary || a == e.PrimaryIPv6) {
						t.Fatalf("release of a primary: %v of %s", a, e.ID)
					}
				}
			}
		}
		for _, it := range done {
			add(place{it.ENI, it.Addr}, it.Verb)
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.AllowUnexported(place{})); diff != "" {
			t.Fatalf("lost or changed (-want +got):\n%s", diff)
		}

		r := rand.New(rand.NewSource(int64(len(items))))
		r.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		again, doneAgain := Plan(items, enis)
		if diff := cmp.Diff(planTable(calls, done), planTable(again, doneAgain)); diff != "" {
			t.Fatalf("the order of the items matters:\n%s", diff)
		}
	})
}

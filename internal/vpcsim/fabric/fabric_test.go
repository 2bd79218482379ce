// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"net/netip"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/vswitch"
)

func TestPingWorksExactlyWhenAssigned(t *testing.T) {
	f, o := start(t, Options{})
	for _, ip := range []struct{ a, b, eniA, eniB string }{
		{"10.0.1.101", "10.0.1.103", "w1-sig", "w2-sig"},
		{"2001:db8:0:1::101", "2001:db8:0:1::103", "w1-sig", "w2-sig"},
		{"10.0.1.101", "10.0.2.104", "w1-sig", "w2-media"},
		{"2001:db8:0:1::101", "2001:db8:0:2::104", "w1-sig", "w2-media"},
	} {
		t.Run(ip.b, func(t *testing.T) {
			from := f.Pod("a").Namespace
			wantSilence(t, from, ip.a, ip.b)
			o.assign(ip.eniB, ip.b)
			wantSilence(t, from, ip.a, ip.b) // the source is not a's yet
			o.assign(ip.eniA, ip.a)
			wantPing(t, from, ip.a, ip.b)
			o.unassign(ip.a, ip.b)
			wantSilence(t, from, ip.a, ip.b)
		})
	}
	c := f.Counters("w1-sig")
	t.Logf("counters of w1-sig: %+v", c)
	if c.Sent == 0 || c.Delivered == 0 || c.Dropped[vswitch.Unmapped] == 0 || c.Dropped[vswitch.SourceCheck] == 0 {
		t.Errorf("counters = %+v, want all kinds", c)
	}
}

func TestPodsOfOneENIReachEachOtherWithoutTheVPC(t *testing.T) {
	f, o := start(t, Options{})
	from := f.Pod("a").Namespace
	wantPing(t, from, "10.0.1.101", "10.0.1.102")
	wantPing(t, from, "2001:db8:0:1::101", "2001:db8:0:1::102")
	assignAll(o)
	wantPing(t, from, "10.0.1.101", "10.0.1.102")
	wantPing(t, from, "2001:db8:0:1::101", "2001:db8:0:1::102")
	wantPing(t, f.Pod("b").Namespace, "10.0.1.103", "10.0.1.102")
}

func TestWorkersReachEachOther(t *testing.T) {
	f, _ := start(t, Options{})
	from := f.Worker("worker1").Namespace
	wantPing(t, from, "10.0.0.11", "10.0.0.12")
	wantPing(t, from, "10.0.1.11", "10.0.1.12")
}

func TestFloatingAddressMovesBetweenENIs(t *testing.T) {
	f, o := start(t, Options{})
	assignAll(o)
	for _, fip := range []string{"10.0.1.200", "2001:db8:0:1::200"} {
		a := netip.MustParseAddr(fip)
		src := map[bool]string{false: "10.0.2.104", true: "2001:db8:0:2::104"}[a.Is6()]
		for _, p := range []string{"a", "b"} {
			if err := f.Pod(p).AddAddress("net1", netip.PrefixFrom(a, a.BitLen())); err != nil {
				t.Fatal(err)
			}
		}
		client := f.Pod("m").Namespace
		wantSilence(t, client, src, fip)
		o.assign("w1-sig", fip)
		wantPing(t, client, src, fip)
		before := f.Counters("w2-sig").Delivered
		o.assign("w2-sig", fip)
		wantPing(t, client, src, fip)
		if after := f.Counters("w2-sig").Delivered; after == before {
			t.Errorf("%s was moved to w2-sig and nothing arrived there", fip)
		}
	}
}

func TestWorkerRemovedIsSilentAndTheFloatingAddressSurvives(t *testing.T) {
	f, o := start(t, Options{})
	assignAll(o)
	client := f.Pod("m").Namespace
	wantPing(t, client, "10.0.2.104", "10.0.1.101")
	if err := f.Worker("worker1").Remove(); err != nil {
		t.Fatal(err)
	}
	wantSilence(t, client, "10.0.2.104", "10.0.1.101")
	if f.Worker("worker1") != nil || f.Pod("a") != nil || f.Pod("a2") != nil {
		t.Error("worker1 or its pods are still listed")
	}
	if n := f.Counters("w2-media").Dropped[vswitch.Unplugged]; n == 0 {
		t.Error("no drop was counted as unplugged")
	}
	if err := f.Pod("b").AddAddress("net1", netip.MustParsePrefix("10.0.1.101/32")); err != nil {
		t.Fatal(err)
	}
	o.assign("w2-sig", "10.0.1.101")
	wantPing(t, client, "10.0.2.104", "10.0.1.101")
}

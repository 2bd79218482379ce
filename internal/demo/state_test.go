// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"net/netip"
	"slices"
	"testing"
	"unicode/utf8"
)

func TestDifferenceTellsWhatWasLeftAndWhatIsGone(t *testing.T) {
	a := netip.MustParseAddr
	before := holdings{"w1": {a("10.0.0.1")}, "w2": {a("10.0.0.2"), a("10.0.0.3")}}
	now := holdings{"w1": {a("10.0.0.1"), a("10.0.0.9")}, "w2": {a("10.0.0.2"), a("2001:db8::7")}}
	got := difference(before, now, []owned{{a("2001:db8::7"), "w2"}, {a("2001:db8::8"), "w1"}})
	want := []string{"10.0.0.9 is still on w1", "10.0.0.3 is gone from w2", "2001:db8::8 is not on w1"}
	if !slices.Equal(got, want) {
		t.Errorf("difference = %q, want %q", got, want)
	}
	if got := difference(before, before, nil); len(got) != 0 {
		t.Errorf("no difference: %q", got)
	}
}

func TestTheTopologyIsTheStorys(t *testing.T) {
	topo, err := loadTopology()
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range []string{active, standby, client, coreA, coreB} {
		if len(addressesOf(podOf(topo, pod))) == 0 {
			t.Errorf("pod %s has no address", pod)
		}
	}
	p := moved(podOf(topo, active))
	if p.Worker != worker2 || p.Interfaces[0].ENI != sigENI2 || p.Interfaces[1].ENI != mediaENI2 {
		t.Errorf("moved = %+v", p)
	}
	if podOf(topo, active).Interfaces[0].ENI != sigENI1 {
		t.Error("moved has changed the topology")
	}
	for _, l := range append(picture("picture.txt"), picture("zones.txt")...) {
		if utf8.RuneCountInString(l) > width-margin {
			t.Errorf("the picture is too wide: %s", l)
		}
	}
}

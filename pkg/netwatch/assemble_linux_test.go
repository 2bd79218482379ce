// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func TestAssemble(t *testing.T) {
	found := func(index int, prefix string, flags uint32) foundAddress {
		return foundAddress{index, netip.MustParsePrefix(prefix), flags}
	}
	got := assemble(
		[]Interface{{Index: 5, Name: "net2"}, {Index: 1, Name: "lo"}, {Index: 3, Name: "net1"}},
		[]foundAddress{
			found(3, "2001:db8::1/64", 0),
			found(3, "10.0.0.2/24", 0),
			found(3, "10.0.0.1/32", 0),
			found(3, "10.0.0.1/24", 0),
			found(3, "10.0.0.1/24", 0), // the same for another peer
			found(3, "fe80::1/64", 0),
			found(3, "2001:db8::2/64", unix.IFA_F_TENTATIVE),
			found(1, "127.0.0.1/8", 0),
			found(4, "10.0.0.9/24", 0), // of a link that is gone
			{index: 5},                 // of another family
		})
	want := listing{
		interfaces: []Interface{
			{Index: 1, Name: "lo"},
			{Index: 3, Name: "net1", Prefixes: prefixes("10.0.0.1/24", "10.0.0.1/32", "10.0.0.2/24", "2001:db8::1/64"),
				Tentative: prefixes("2001:db8::2/64")},
			{Index: 5, Name: "net2"},
		},
		leftOut: []leftOut{{"net1", netip.MustParsePrefix("2001:db8::2/64"), reasonTentative}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(listing{}), equateInternals); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The kernel's order does not matter: the same tables give the same snapshot,
// sorted, without duplicates, with every usable address of a known link and
// nothing else.
func TestAssembleProperties(t *testing.T) {
	addresses := rapid.Custom(func(t *rapid.T) foundAddress {
		raw := rapid.SampledFrom([]string{"10.0.0.1", "10.0.0.2", "127.0.0.1", "169.254.0.1", "2001:db8::1", "fe80::1", "::", "ff02::1"}).Draw(t, "address")
		addr := netip.MustParseAddr(raw)
		return foundAddress{
			index:  rapid.IntRange(1, 5).Draw(t, "index"),
			prefix: netip.PrefixFrom(addr, rapid.IntRange(0, addr.BitLen()).Draw(t, "bits")),
			flags:  rapid.SampledFrom([]uint32{0, unix.IFA_F_TENTATIVE, unix.IFA_F_DADFAILED, unix.IFA_F_PERMANENT}).Draw(t, "flags"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		indexes := rapid.SliceOfNDistinct(rapid.IntRange(1, 5), 0, 5, rapid.ID[int]).Draw(t, "links")
		found := rapid.SliceOf(addresses).Draw(t, "addresses")
		links := func(order []int) (made []Interface) {
			for _, index := range order {
				made = append(made, Interface{Index: index})
			}
			return made
		}
		got := Snapshot{Interfaces: assemble(links(indexes), found).interfaces}
		again := Snapshot{Interfaces: assemble(links(rapid.Permutation(indexes).Draw(t, "other links")), rapid.Permutation(found).Draw(t, "other addresses")).interfaces}
		if !got.Equal(again) {
			t.Fatalf("another order gives another snapshot:\n%v\n%v", got, again)
		}
		for _, i := range got.Interfaces {
			if !slices.IsSortedFunc(i.Prefixes, comparePrefixes) || len(slices.Compact(slices.Clone(i.Prefixes))) != len(i.Prefixes) {
				t.Fatalf("not sorted, or not without duplicates: %v", i.Prefixes)
			}
		}
		for _, f := range found {
			ok, _ := usable(f.prefix.Addr(), f.flags)
			others := slices.ContainsFunc(found, func(o foundAddress) bool {
				okToo, _ := usable(o.prefix.Addr(), o.flags)
				return okToo && o.index == f.index && o.prefix == f.prefix
			})
			want := slices.Contains(indexes, f.index) && (ok || others)
			at := slices.IndexFunc(got.Interfaces, func(i Interface) bool { return i.Index == f.index })
			if has := at >= 0 && slices.Contains(got.Interfaces[at].Prefixes, f.prefix); has != want {
				t.Fatalf("%v of link %d is there: %v, want %v", f.prefix, f.index, has, want)
			}
		}
	})
}

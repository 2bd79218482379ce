// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package sibling

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	v4 = netip.MustParseAddr("10.0.0.10")
	v6 = netip.MustParseAddr("2001:db8::10")
)

// example is a datagram with all that one can have.
func example() datagram {
	return datagram{
		mac: mac{2, 0, 0, 0, 0, 0xe1}, name: name{0x0102030405060708, 0x090a0b0c},
		answers: name{0x1112131415161718, 0x191a1b1c},
		notes:   []Note{{v4, Nothing, true}, {v6, Released, false}},
	}
}

func TestWire(t *testing.T) {
	want := slices.Concat([]byte("mipr\x01\x02"),
		[]byte{2, 0, 0, 0, 0, 0xe1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
		[]byte{0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c},
		[]byte{0x80, 10, 0, 0, 10},
		[]byte{0x44, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10})
	got := example().appendTo(nil)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what a release has once sent, later ones must too (-want +got):\n%s", diff)
	}
	back, err := parse(got)
	if err != nil || fmt.Sprint(back) != fmt.Sprint(example()) {
		t.Errorf("parse gives %v, %v, want %v", back, err, example())
	}
}

func TestLongestDatagramIsTaken(t *testing.T) {
	d := example()
	d.notes = slices.Repeat([]Note{{v6, Holds, true}}, maxNotes)
	b := d.appendTo(nil)
	if len(b) != maxLength || len(b)+48 > 1280 {
		t.Errorf("it has %d bytes, want %d, which is what IPv6 carries in one piece", len(b), maxLength)
	}
	if _, err := parse(b); err != nil {
		t.Error(err)
	}
}

func TestParseRefuses(t *testing.T) {
	with := func(at int, value ...byte) []byte {
		b := example().appendTo(nil)
		copy(b[at:], value)
		return b
	}
	whole := example().appendTo(nil)
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"nothing":               {nil, errForeign},
		"another magic":         {with(0, 'x'), errForeign},
		"a magic alone":         {[]byte(magic), errForeign},
		"version 2":             {with(4, 2), versionError(2)},
		"version 2, cut off":    {with(4, 2)[:5], versionError(2)},
		"a cut head":            {whole[:headLength-1], errLength},
		"no notes":              {with(5, 0)[:headLength], errLength},
		"notes that lack":       {whole[:headLength], errLength},
		"a cut address":         {whole[:len(whole)-1], errLength},
		"one note too many":     {with(5, 1), errLength},
		"one note too few":      {with(5, 3), errLength},
		"more notes than fit":   {with(5, maxNotes+1), errLength},
		"a byte more":           {append(slices.Clone(whole), 0), errLength},
		"longer than any":       {append(slices.Clone(whole), make([]byte, maxLength)...), errLength},
		"no such standing":      {with(headLength, 0x80|byte(standings)), errAny},
		"IPv4 in IPv6":          {with(headLength+6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff), errAny},
		"an IPv4 group":         {with(headLength+1, 224, 0, 0, 1), errAny},
		"the IPv4 loopback":     {with(headLength+1, 127, 0, 0, 1), errAny},
		"the IPv4 broadcast":    {with(headLength+1, 255, 255, 255, 255), errAny},
		"an IPv6 link-local":    {with(headLength+6, 0xfe, 0x80), errAny},
		"the unspecified":       {with(headLength+1, 0, 0, 0, 0), errAny},
		"an IPv4 link-local":    {with(headLength+1, 169, 254, 0, 1), errAny},
		"an IPv6 group":         {with(headLength+6, 0xff, 2), errAny},
		"the unspecified, IPv6": {with(headLength+6, make([]byte, 16)...), errAny},
	} {
		d, err := parse(c.b)
		if err == nil || c.want != errAny && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v, want %v", name, d, err, c.want)
		}
	}
}

var errAny = errors.New("any error")

// What is taken is in the only form that can have been written: so no bytes
// are left out of account.
func FuzzParse(f *testing.F) {
	f.Add(example().appendTo(nil))
	long := example()
	long.notes = slices.Repeat([]Note{{v6, MayTake, false}}, maxNotes)
	f.Add(long.appendTo(nil))
	f.Add([]byte("mipr\x02"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := parse(b)
		if err != nil {
			return
		}
		if again := d.appendTo(nil); !bytes.Equal(again, b) {
			t.Errorf("%x is taken as %v, which is written %x", b, d, again)
		}
		for _, n := range d.notes {
			if err := n.check(); err != nil {
				t.Errorf("%x: %v", b, err)
			}
		}
	})
}

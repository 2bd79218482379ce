// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// clone is a ledger with the same account, which goes its own way from here.
func clone(l *Ledger) *Ledger {
	c := *l
	c.enis, c.claims, c.probes = map[string]*eniState{}, map[Target]*claim{}, map[string]*probe{}
	for k, v := range l.enis {
		e := *v
		e.inside = maps.Clone(v.inside)
		c.enis[k] = &e
	}
	for k, v := range l.claims {
		e := *v
		c.claims[k] = &e
	}
	for k, v := range l.probes {
		p := *v
		c.probes[k] = &p
	}
	c.owners.known = maps.Clone(l.owners.known)
	c.kin, c.heirs, c.greeted = maps.Clone(l.kin), maps.Clone(l.heirs), maps.Clone(l.greeted)
	c.lanes, c.onLanes = maps.Clone(l.lanes), maps.Clone(l.onLanes)
	c.history, c.events, c.sayings = slices.Clone(l.history), nil, slices.Clone(l.sayings)
	return &c
}

// TestCloneKnowsEveryField keeps clone and digest true to the ledger: what they
// do not know of would make the exhaustive search prove nothing.
func TestCloneKnowsEveryField(t *testing.T) {
	for kind, want := range map[reflect.Type]string{
		reflect.TypeFor[Ledger](): "cfg rand observed closing wasReady links noticed seen inventory describe enis look routeLook owners probes sayings kin heirs greeted " +
			"claims unplaced lanes onLanes lastCall refused jitter history events",
		reflect.TypeFor[eniState](): "facts described wish gone hint tagDue checkDue released inside",
		reflect.TypeFor[claim](): "Target iface mac state since reason wanted restored standing before asked answered acked verb created noticed late " +
			"inFlight flight call earlier had due attempts refused class steals hint hintTill look doubts parting parted heir again crossed",
	} {
		var got []string
		for i := range kind.NumField() {
			got = append(got, kind.Field(i).Name)
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%v has the fields\n%s\nclone and digest know\n%s", kind, text, want)
		}
	}
}

var seed = maphash.MakeSeed()

// A digest takes in a state, with times as distances from now, so that equal
// futures are searched once.
type digest struct {
	buf []byte
	now time.Time
}

func (d *digest) number(n int64) { d.buf = binary.AppendVarint(d.buf, n) }

func (d *digest) text(s string) {
	d.number(int64(len(s)))
	d.buf = append(d.buf, s...)
}

func (d *digest) flag(all ...bool) {
	for _, b := range all {
		if b {
			d.number(1)
		} else {
			d.number(0)
		}
	}
}

// time takes in a distance; beyond holdDownReset in the past all are alike.
func (d *digest) time(all ...time.Time) {
	for _, t := range all {
		if t.IsZero() {
			d.number(1 << 60)
			continue
		}
		d.number(int64(max(t.Sub(d.now), -holdDownReset-time.Second)))
	}
}

func (d *digest) ledger(l *Ledger) {
	d.flag(l.observed, l.closing, l.wasReady, l.describe.inFlight, l.describe.denied, l.inventory.known != nil, l.inventory.inFlight)
	d.flag(l.kin["net1"], l.greeted["net1"] > 0)
	for _, a := range slices.SortedFunc(maps.Keys(l.heirs), func(a, b heir) int { return a.addr.Compare(b.addr) }) {
		d.text(a.iface + a.addr.String())
	}
	d.number(int64(l.owners.looks))
	d.time(l.describe.due, l.inventory.due, l.look.due, l.routeLook.due, l.owners.due)
	d.number(int64(l.look.inFlight)<<32 | int64(l.describe.attempts)<<16 | int64(l.look.attempts))
	d.number(int64(l.routeLook.inFlight)<<32 | int64(l.routeLook.attempts))
	for _, id := range slices.Sorted(maps.Keys(l.enis)) {
		e := l.enis[id]
		d.text(id)
		d.flag(e.described, e.wish, e.gone, e.hint.inFlight)
		d.time(e.hint.due, e.hint.failedSince, e.released)
		for _, a := range slices.SortedFunc(maps.Keys(e.inside), netip.Addr.Compare) {
			d.text(a.String())
		}
	}
	for _, c := range l.sorted() {
		d.text(fmt.Sprint(c.Target, c.state, c.standing, c.before, c.class))
		d.flag(c.wanted, c.restored, c.late, c.inFlight, c.heir, c.again, c.had, c.reason != nil)
		for _, n := range []int{int(c.verb), int(c.flight), c.earlier, c.attempts, c.steals, int(c.hint), c.doubts, int(c.parting)} {
			d.number(int64(n))
		}
		d.time(c.refused, c.asked, c.answered, c.acked, c.created, c.due, c.hintTill, c.look, c.parted, c.crossed)
	}
	for _, a := range slices.SortedFunc(maps.Keys(l.owners.known), func(a, b addr) int { return a.Compare(b) }) {
		d.text(a.String() + l.owners.known[a])
	}
	for _, ln := range slices.SortedFunc(maps.Keys(l.lanes), func(a, b lane) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }) {
		d.text(fmt.Sprint(ln, l.lanes[ln].calls))
		d.time(l.lanes[ln].last)
	}
}

// sum is the state's name; two of 64 bits, so that no two states share one.
func (d *digest) sum() [2]uint64 {
	a := maphash.Bytes(seed, d.buf)
	return [2]uint64{a, maphash.Bytes(seed, append(d.buf, "again"...))}
}

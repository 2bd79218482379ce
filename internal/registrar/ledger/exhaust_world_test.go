// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
)

type addr = netip.Addr

// The addresses of the search: a floating IP by name, one that only moves, and
// an IPv6 one.
var exhaustAddrs = [3]addr{netip.MustParseAddr("10.0.1.200"), netip.MustParseAddr("10.0.1.201"), netip.MustParseAddr("2600:1::200")}

const exhaustHoldDown = 10 * time.Second

// A message is a request on its way: to EC2, and back with its answer.
type message struct {
	call     eniassign.Call
	look     *Look
	describe []string
	started  time.Time
	back     bool // EC2 has seen it, what follows is its answer
	outcomes []eniassign.Outcome
	holders  map[addr]eniassign.Holder
	enis     []eniassign.ENI
}

// A twin is one of the two pods, with what the laws give it the right to.
type twin struct {
	l       *Ledger
	eni     eniassign.ENI
	kernel  [3]bool
	mail    []message
	wake    time.Time
	appear  [3]bool      // appeared, and not acknowledged since: may take (law 3)
	had     [3]bool      // EC2 had it on the ENI since it appeared
	rivalry [3]time.Time // when it last appeared, or was last taken away
}

// A duel is two pods, EC2, and what may still happen to them.
type duel struct {
	now                              time.Time
	twins                            [2]twin
	holder                           [3]string // EC2's truth
	sameENI                          bool
	toggles, faults, restarts, waits int
	broken                           string // the law that was broken, and how
	path                             *step  // how it came to this
}

// A step is one thing that happened.
type step struct {
	before *step
	what   string
}

func (s *step) String() string {
	if s == nil {
		return ""
	}
	return s.before.String() + "\n  " + s.what
}

func exhaustConfig(same bool) Config {
	return Config{DefaultInterfaces: []string{"eth0"}, HoldDown: exhaustHoldDown, HoldDownMax: 2 * exhaustHoldDown,
		HintInterval: 5 * time.Second, Siblings: same,
		Floating: Floating{Addresses: []netip.Prefix{netip.PrefixFrom(exhaustAddrs[0], 32)}}}
}

func newDuel(same bool) *duel {
	d := &duel{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), sameENI: same}
	for i := range d.twins {
		id := "eni-a"
		if i == 1 && !same {
			id = "eni-b"
		}
		e := eniassign.ENI{ID: id, MAC: "02:00:00:00:00:0" + id[4:], DeviceIndex: 1, VPCID: "vpc-1", SubnetID: "subnet-1",
			CIDRs:   []netip.Prefix{netip.MustParsePrefix("10.0.1.0/24"), netip.MustParsePrefix("2600:1::/64")},
			Primary: netip.MustParseAddr("10.0.1.11"), Tags: map[string]string{eniassign.NoManageTag: "true"}}
		d.twins[i] = twin{eni: e, l: New(exhaustConfig(same), func() float64 { return 0 })}
		d.start(i)
	}
	return d
}

// start begins a run of a registrar with its first snapshot.
func (d *duel) start(i int) {
	t := &d.twins[i]
	t.l.Observe(d.now, t.snapshot(d.now))
	d.turn(i)
}

func (t *twin) snapshot(now time.Time) netwatch.Snapshot {
	link := netwatch.Interface{Name: "net1", Index: 2, MAC: t.eni.MAC, Kind: "ipvlan", Up: true}
	for k, there := range t.kernel {
		if there {
			link.Prefixes = append(link.Prefixes, netip.PrefixFrom(exhaustAddrs[k], exhaustAddrs[k].BitLen()-8))
		}
	}
	return netwatch.Snapshot{Noticed: now, Interfaces: []netwatch.Interface{link}}
}

// describe is an ENI as EC2 has it now.
func (d *duel) describe(e eniassign.ENI) eniassign.ENI {
	e.Addresses = []addr{e.Primary}
	for k, id := range d.holder {
		if id == e.ID {
			e.Addresses = append(e.Addresses, exhaustAddrs[k])
		}
	}
	return e
}

// turn lets a registrar do what it wants to do now.
func (d *duel) turn(i int) {
	t := &d.twins[i]
	w := t.l.Next(d.now)
	t.l.Events()
	t.wake = w.Wake
	for k, a := range exhaustAddrs {
		if c := t.l.claims[Target{ENI: t.eni.ID, Addr: a}]; c != nil && c.state == Assigned {
			t.appear[k] = false
		}
		t.had[k] = t.had[k] || d.holder[k] == t.eni.ID
	}
	d.checkReady(i)
	for _, c := range w.Calls {
		d.mayAsk(i, c)
		t.mail = append(t.mail, message{call: c, started: d.now})
	}
	for _, k := range w.Looks {
		t.mail = append(t.mail, message{look: &k, started: d.now})
	}
	switch first := !t.l.enis[t.eni.ID].isDescribed(); {
	case w.Inventory: // its orders are not varied, nor those of the first Describe
		t.l.Inventoried(d.now, d.now, eniassign.Inventory{ENIs: []eniassign.ENI{t.eni}, FromIMDS: true}, nil)
		d.turn(i)
	case len(w.Describe) > 0 && first:
		t.l.Described(d.now, d.now, w.Describe, []eniassign.ENI{d.describe(t.eni)}, nil)
		d.turn(i)
	case len(w.Describe) > 0:
		t.mail = append(t.mail, message{describe: w.Describe, started: d.now})
	}
	for _, e := range w.Hints { // IMDS, up to date
		t.l.Hinted(d.now, d.now, e.ID, d.describe(e), nil)
	}
	for _, s := range w.Say {
		if d.sameENI {
			d.hear(1-i, s)
		}
	}
	if len(w.Hints) > 0 {
		d.turn(i)
	}
}

func (s *eniState) isDescribed() bool { return s != nil && s.described }

// hear lets a pod hear what the other one says, at once; what it says to that
// is an answer.
func (d *duel) hear(i int, s Saying) {
	s.Answer = s.Re != nil
	s.Re = s.Word
	if l := d.twins[i].l; l != nil && l.Heard(d.now, s) {
		d.turn(i)
	}
}

// mayAsk checks a request as it leaves.
func (d *duel) mayAsk(i int, c eniassign.Call) {
	t := &d.twins[i]
	for _, a := range c.Addrs {
		k := slices.Index(exhaustAddrs[:], a)
		switch {
		case c.ENI != t.eni.ID:
			d.broken = fmt.Sprintf("pod %d asks for %s on %s", i, a, c.ENI)
		case c.Verb == eniassign.Release && t.kernel[k]:
			d.broken = fmt.Sprintf("law 5: pod %d releases %s, which it has", i, a)
		case c.Verb != eniassign.Release && !t.kernel[k]:
			d.broken = fmt.Sprintf("law 1: pod %d wants %s, which it does not have", i, a)
		case c.Verb == eniassign.Claim && !t.appear[k] && d.now.Sub(t.rivalry[k]) < exhaustHoldDown:
			d.broken = fmt.Sprintf("laws 4 and 6: pod %d may take %s from another without a new appearance, %v after it was taken away",
				i, a, d.now.Sub(t.rivalry[k]))
		}
	}
}

// arrive lets EC2 do what a message asks.
func (d *duel) arrive(i int, m *message) {
	t := &d.twins[i]
	m.back = true
	switch {
	case m.look != nil:
		m.holders = map[addr]eniassign.Holder{}
		for _, a := range m.look.Addrs {
			if id := d.holder[slices.Index(exhaustAddrs[:], a)]; id != "" {
				m.holders[a] = eniassign.Holder{ENI: id}
			}
		}
	case m.describe != nil:
		m.enis = []eniassign.ENI{d.describe(t.eni)}
	default:
		for _, a := range m.call.Addrs {
			m.outcomes = append(m.outcomes, d.change(i, m.call.Verb, slices.Index(exhaustAddrs[:], a)))
		}
	}
}

// change is what EC2 does about one address.
func (d *duel) change(i int, v eniassign.Verb, k int) eniassign.Outcome {
	t, id, rival := &d.twins[i], d.holder[k], &d.twins[1-i]
	o := eniassign.Outcome{Addr: exhaustAddrs[k]}
	switch {
	case v == eniassign.Release:
		if id == t.eni.ID {
			d.holder[k] = ""
			if d.sameENI && rival.kernel[k] {
				rival.rivalry[k] = d.now
			}
		}
	case id == "" || id == t.eni.ID:
		d.holder[k], t.had[k] = t.eni.ID, true
	case v == eniassign.Hold:
		o.Reason = &eniassign.Reason{Code: eniassign.AddressContested, Class: eniassign.Contested, Owner: id, Text: "held"}
	default:
		d.holder[k], t.had[k], rival.rivalry[k] = t.eni.ID, true, d.now
	}
	return o
}

// deliver gives a message's answer to its registrar.
func (d *duel) deliver(i int, m message) {
	t := &d.twins[i]
	switch {
	case m.look != nil:
		t.l.Looked(d.now, m.started, *m.look, m.holders, nil)
	case m.describe != nil:
		t.l.Described(d.now, m.started, m.describe, m.enis, nil)
	default:
		t.l.Done(d.now, m.call, m.outcomes)
	}
	d.turn(i)
}

// checkReady: law 7, ready means that EC2 has said so of every address.
func (d *duel) checkReady(i int) {
	t := &d.twins[i]
	if len(t.l.Waiting()) > 0 {
		return
	}
	for k, there := range t.kernel {
		if there && !t.had[k] {
			d.broken = fmt.Sprintf("law 7: pod %d is ready, and EC2 never had %s there", i, exhaustAddrs[k])
		}
	}
}

// toggle adds or removes an address in a pod's kernel.
func (d *duel) toggle(i, k int) {
	t := &d.twins[i]
	t.kernel[k] = !t.kernel[k]
	t.appear[k], t.had[k] = t.kernel[k], d.holder[k] == t.eni.ID
	t.rivalry[k] = d.now
	t.l.Observe(d.now, t.snapshot(d.now))
	d.turn(i)
}

// restart ends a registrar's process and starts it again with its state file.
// What it had sent arrives or not; the answers reach nobody.
func (d *duel) restart(i int, arrives bool) {
	t := &d.twins[i]
	if arrives {
		for n := range t.mail {
			if !t.mail[n].back {
				d.arrive(i, &t.mail[n])
			}
		}
	}
	t.mail = nil
	records := t.l.Records()
	t.l = New(exhaustConfig(d.sameENI), func() float64 { return 0 })
	t.l.Restore(d.now, records)
	d.start(i)
}

// wait lets time pass until somebody wants to do something.
func (d *duel) wait() bool {
	var next time.Time
	for i := range d.twins {
		if w := d.twins[i].wake; !w.IsZero() && (next.IsZero() || w.Before(next)) {
			next = w
		}
	}
	if next.IsZero() || !next.After(d.now) {
		return false
	}
	d.now = next
	for i := range d.twins {
		d.turn(i)
	}
	return true
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

var verbs = map[eniassign.Verb]string{eniassign.Claim: "claim", eniassign.Hold: "hold", eniassign.Release: "release"}

// step asks the ledger for work and writes it down as the story tells it.
func (s *stage) step() {
	w := s.Next(s.now)
	s.wake = w.Wake
	s.Events()
	switch {
	case w.Inventory && len(w.MACs) == 0:
		s.add(pendingWork{what: "imds"}, "imds")
	case w.Inventory:
		s.add(pendingWork{what: "inventory", ids: w.MACs}, "inventory")
	}
	if len(w.Describe) > 0 {
		s.add(pendingWork{what: "describe", ids: w.Describe}, "describe "+strings.Join(w.Describe, " "))
	}
	for _, e := range w.Hints {
		s.add(pendingWork{what: "hint", ids: []string{e.ID}}, "hint "+e.ID)
	}
	for _, k := range w.Looks {
		s.add(pendingWork{what: "look", ids: k.Tables, look: k}, line("look", k.Tables, k.Addrs))
	}
	for _, c := range w.Probes {
		s.add(pendingWork{what: "probe", ids: []string{c.Table}, call: c}, line("probe "+c.ENI, []string{c.Table}, c.Addrs))
	}
	for _, y := range w.Say {
		s.got = append(s.got, fmt.Sprintf("say %s %s %s", y.Interface, y.Addr, strings.ReplaceAll(string(y.Word), " ", "-")))
	}
	for _, c := range w.Calls {
		var tables []string
		if c.Table != "" {
			tables = []string{c.Table}
		}
		text := line(verbs[c.Verb]+" "+c.ENI, tables, c.Addrs)
		for _, a := range c.Addrs {
			if o := c.Owners[a]; o != "" {
				text += " from " + o
			}
		}
		if c.Urgent && c.Family == eniassign.IPv6 { // the client reads it of these alone
			text += " urgent"
		}
		s.add(pendingWork{what: verbs[c.Verb], ids: []string{c.ENI}, call: c}, text)
	}
}

func line(what string, words []string, addrs []netip.Addr) string {
	for _, w := range words {
		what += " " + w
	}
	for _, a := range addrs {
		what += " " + a.String()
	}
	return what
}

// locate answers a look as EC2 would.
func (s *stage) locate(p pendingWork, r *eniassign.Reason) {
	if len(p.look.Tables) > 0 {
		s.LookedUpRoutes(s.now, p.started, p.look, s.routes, r)
		return
	}
	holders := map[netip.Addr]eniassign.Holder{}
	for _, a := range p.look.Addrs {
		for eni, held := range s.held {
			if slices.Contains(held, a) {
				holders[a] = eniassign.Holder{ENI: eni}
			}
		}
	}
	s.Looked(s.now, p.started, p.look, holders, r)
}

func (s *stage) add(p pendingWork, text string) {
	p.started = s.now
	s.pending = append(s.pending, p)
	s.got = append(s.got, text)
}

// answer answers the oldest piece of work of the kind.
func (s *stage) answer(f []string) error {
	what, f := f[0], f[1:]
	i := slices.IndexFunc(s.pending, func(p pendingWork) bool {
		return p.what == what && (len(f) == 0 || !names(f[0]) || p.ids[0] == f[0] || p.call.Table == f[0])
	})
	if i < 0 {
		return fmt.Errorf("nobody asked")
	}
	p := s.pending[i]
	s.pending = slices.Delete(s.pending, i, i+1)
	for len(f) > 0 && names(f[0]) {
		f = f[1:]
	}
	var r *eniassign.Reason
	if len(f) > 0 && f[0] != "ok" && f[0] != "lost" && !strings.Contains(f[0], "=") {
		r = refusal(f[0])
	}
	switch what {
	case "inventory":
		s.Inventoried(s.now, p.started, eniassign.Inventory{ENIs: s.inventory(p.ids), FromIMDS: !s.noIMDS}, r)
	case "imds":
		if s.noIMDS && r == nil {
			r = refusal("Permanent/IMDSBlocked")
		}
		s.Inventoried(s.now, p.started, eniassign.Inventory{ENIs: s.inventory(nil), FromIMDS: true}, r)
	case "describe":
		s.Described(s.now, p.started, p.ids, s.described(p.ids), r)
	case "hint":
		s.hint(p, r)
	case "look":
		s.locate(p, r)
	case "probe":
		if checked(p.call.About) { // the client sends nothing then
			r = refusal("Permanent/SourceDestCheckOn")
		}
		s.Probed(s.now, p.call, r)
	default:
		s.Done(s.now, p.call, outcomes(p.call, f, r))
	}
	s.step()
	return nil
}

func names(word string) bool {
	return strings.HasPrefix(word, "eni-") || strings.HasPrefix(word, "rtb-")
}

// inventory is what IMDS tells, or Describe by MAC where it is silent.
func (s *stage) inventory(macs []string) []eniassign.ENI {
	var out []eniassign.ENI
	for _, e := range s.enis {
		switch {
		case !s.noIMDS && e.ID == s.hole:
		case !s.noIMDS:
			e.Tags = nil
			out = append(out, e)
		case slices.Contains(macs, e.MAC):
			e.CIDRs, e.Addresses = nil, append(s.held[e.ID], e.Primary)
			out = append(out, e)
		}
	}
	return out
}

func (s *stage) described(ids []string) []eniassign.ENI {
	var out []eniassign.ENI
	for _, e := range s.enis {
		if slices.Contains(ids, e.ID) {
			e.CIDRs, e.Addresses = nil, append(s.held[e.ID], e.Primary)
			out = append(out, e)
		}
	}
	return out
}

func (s *stage) hint(p pendingWork, r *eniassign.Reason) {
	var err error
	if r != nil {
		err = &eniassign.Error{Why: r, Err: fmt.Errorf("IMDS: %s", r.Text)}
	}
	s.Hinted(s.now, p.started, p.ids[0], eniassign.ENI{ID: p.ids[0], Addresses: s.shown[p.ids[0]]}, err)
}

func outcomes(c eniassign.Call, f []string, all *eniassign.Reason) []eniassign.Outcome {
	var out []eniassign.Outcome
	for _, a := range c.Addrs {
		o := eniassign.Outcome{Addr: a, Reason: all}
		if len(f) > 0 && f[0] == "lost" {
			o.Reason, o.InDoubt = refusal("Transient/EC2NoAnswer"), true
		}
		o.Freed = slices.Contains(f, "freed")
		for _, one := range f {
			if addr, why, ok := strings.Cut(one, "="); ok && netip.MustParseAddr(addr) == a {
				o.Reason = refusal(why)
			}
		}
		out = append(out, o)
	}
	return out
}

func refusal(text string) *eniassign.Reason {
	class, code, _ := strings.Cut(text, "/")
	return &eniassign.Reason{Class: eniassign.Class(class), Code: eniassign.Code(code), Text: "told so", Cure: "Do it."}
}

// expect checks what a user would see.
func (s *stage) expect(f []string) error {
	switch f[0] {
	case "ready":
		if w := s.Waiting(); len(w) > 0 {
			return fmt.Errorf("waiting for %q", w)
		}
	case "waiting":
		if w := strings.Join(s.Waiting(), "\n"); !strings.Contains(w, strings.Join(f[1:], " ")) || strings.HasSuffix(w, " ") {
			return fmt.Errorf("waiting for %q", w)
		}
	case "concern":
		if w := strings.Join(s.Concerns(), "\n"); !strings.Contains(w, strings.Join(f[1:], " ")) || len(f) == 1 && w != "" {
			return fmt.Errorf("the concerns are %q", w)
		}
	case "drained":
		if !s.Drained() {
			return fmt.Errorf("not drained: %+v", s.Rows())
		}
	case "record":
		return s.expectRecord(netip.MustParseAddr(f[1]), f[2])
	case "state":
		return s.expectState(netip.MustParseAddr(f[1]), f[2:])
	}
	return nil
}

func (s *stage) expectRecord(a netip.Addr, want string) error {
	got := "-"
	for _, r := range s.Records() {
		if r.Address == a {
			got = string(r.Standing)
		}
	}
	if got != want {
		return fmt.Errorf("the record says %q", got)
	}
	return nil
}

func (s *stage) expectState(a netip.Addr, want []string) error {
	var seen []string
	for _, r := range s.Rows() {
		if r.Address != a {
			continue
		}
		got := []string{string(r.State)}
		if r.Code != "" {
			got = append(got, string(r.Code))
		}
		if slices.Equal(got, want) {
			return nil
		}
		seen = append(seen, strings.Join(got, " ")+" since "+r.Since.Format(time.TimeOnly))
	}
	return fmt.Errorf("it is %q", seen)
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
)

// A Row is what a user sees of one address.
type Row struct {
	Address   netip.Addr `json:"address"`
	Interface string     `json:"interface"`
	ENI       string     `json:"eni,omitempty"`
	// RouteTable is where a floating IP from outside of the subnet is routed
	// to the ENI; "" for a secondary address.
	RouteTable string `json:"routeTable,omitempty"`
	State      State  `json:"state"`
	// Since is when the state began.
	Since time.Time `json:"since"`
	// Code, Reason and Cure say why the address is not where it should be.
	Code   eniassign.Code `json:"code,omitempty"`
	Reason string         `json:"reason,omitempty"`
	Cure   string         `json:"cure,omitempty"`
	// Owner is the ENI that holds a contested address, where it is known.
	Owner string `json:"owner,omitempty"`
	// Retry is when EC2 will be asked again, where that is planned.
	Retry *time.Time `json:"retry,omitempty"`
}

// Rows are the addresses of the pod, then what was released lately.
func (l *Ledger) Rows() []Row {
	var out []Row
	for _, c := range l.claims {
		out = append(out, l.row(c))
	}
	for _, u := range l.unplaced {
		r := Row{Address: u.addr, Interface: u.iface, State: Failed, Since: u.since}
		r.explain(u.reason)
		out = append(out, r)
	}
	if l.inventory.known == nil {
		for _, w := range l.wants() {
			r := Row{Address: w.addr, Interface: w.iface, State: Pending, Since: l.noticed}
			r.explain(l.inventoryReason())
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Interface, b.Interface), a.Address.Compare(b.Address), cmp.Compare(a.RouteTable, b.RouteTable))
	})
	return append(out, l.history...)
}

func (l *Ledger) row(c *claim) Row {
	r := Row{Address: c.Addr, Interface: c.iface, ENI: c.ENI, RouteTable: c.Table, State: c.state, Since: c.since}
	r.explain(c.reason)
	if c.state == Pending && c.reason == nil {
		if e := l.enis[c.ENI]; e != nil && !e.described {
			r.explain(l.describeReason(c.ENI))
		}
	}
	if c.state != Assigned && c.state != Released && !c.inFlight && !c.due.IsZero() {
		due := c.due
		r.Retry = &due
	}
	return r
}

func (l *Ledger) describeReason(id string) *eniassign.Reason {
	if l.describe.reason != nil {
		return l.describe.reason
	}
	return reason(NotDescribed, eniassign.Transient, "asking EC2 what "+id+" holds")
}

func (r *Row) explain(why *eniassign.Reason) {
	if why != nil {
		r.Code, r.Reason, r.Cure, r.Owner = why.Code, why.Text, why.Cure, why.Owner
	}
}

// Waiting says in sentences what is missing until every wanted address is
// routed; empty means ready (law 7).
func (l *Ledger) Waiting() []string {
	if l.refused != nil {
		return []string{l.refused.String()}
	}
	out := append(l.waitingForInterfaces(), l.waitingForKernel()...)
	if l.inventory.known == nil && l.observed {
		return append(out, l.inventoryReason().String())
	}
	for _, u := range l.unplaced {
		out = append(out, fmt.Sprintf("%s on %s: %s", u.addr, u.iface, u.reason))
	}
	for _, c := range l.sorted() {
		if !c.wanted || c.state == Assigned {
			continue
		}
		r := l.row(c)
		text := fmt.Sprintf("%s on %s (%s) is %s", c.Addr, c.iface, c.Target.where(), c.state)
		if why := (&eniassign.Reason{Text: r.Reason, Cure: r.Cure}).String(); why != "" {
			text += ": " + why
		}
		out = append(out, text)
	}
	return out
}

// waitingForInterfaces says which interfaces are missing or have no address.
func (l *Ledger) waitingForInterfaces() []string {
	if !l.observed {
		return []string{"The pod's interfaces have not been read yet."}
	}
	var out []string
	for _, name := range l.cfg.Interfaces {
		switch i := slices.IndexFunc(l.links, func(i netwatch.Interface) bool { return i.Name == name }); {
		case i < 0:
			out = append(out, fmt.Sprintf("Interface %s does not exist yet; the pod has %s.", name, l.linkNames()))
		case len(l.links[i].Prefixes) == 0:
			out = append(out, fmt.Sprintf("Interface %s has no address yet.", name))
		}
	}
	if len(l.cfg.Interfaces) > 0 {
		return out
	}
	found, addressed := false, false
	for _, i := range l.Watched() {
		found, addressed = true, addressed || len(i.Prefixes) > 0
	}
	switch {
	case !found:
		out = append(out, fmt.Sprintf("The pod has no Multus interface yet, only %s: is the annotation "+
			"k8s.v1.cni.cncf.io/networks on the pod, and is Multus running on this worker?", l.linkNames()))
	case !addressed && l.cfg.RequireAddress:
		out = append(out, fmt.Sprintf("No Multus interface has an address yet; the pod has %s. "+
			"Does the NetworkAttachmentDefinition have an \"ipam\" section?", l.linkNames()))
	}
	return out
}

// waitingForKernel says which addresses do not count yet, but will.
func (l *Ledger) waitingForKernel() []string {
	var out []string
	for _, i := range l.Watched() {
		for _, p := range i.Tentative {
			out = append(out, fmt.Sprintf("%s on %s: its duplicate address detection is running.", p.Addr(), i.Name))
		}
	}
	return out
}

// linkNames are the interfaces that there are, for a sentence.
func (l *Ledger) linkNames() string {
	var s string
	for _, i := range l.links {
		if s != "" {
			s += ", "
		}
		s += i.Name
	}
	if s == "" {
		return "none"
	}
	return s
}

// Count is how many addresses are in each state, released ones left out.
func (l *Ledger) Count() map[State]int {
	n := map[State]int{}
	for _, r := range l.Rows() {
		n[r.State]++
	}
	n[Released] = 0
	return n
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// An ENI is a network interface as EC2 describes it, at one moment.
type ENI struct {
	// Name is the topology's name, which EC2 does not know.
	Name         string
	ID           string
	MAC          string
	Description  string
	SubnetID     string
	VPCID        string
	Zone         string
	OwnerID      string
	Worker       string
	InstanceID   string
	AttachmentID string
	DeviceIndex  int
	AttachTime   time.Time
	// Primary is the primary private IPv4 address, Secondary the others in
	// the order in which they came.
	Primary   netip.Addr
	Secondary []netip.Addr
	// IPv6 are all IPv6 addresses; PrimaryIPv6 is one of them or not valid.
	IPv6            []netip.Addr
	PrimaryIPv6     netip.Addr
	IPv4Prefixes    []netip.Prefix
	IPv6Prefixes    []netip.Prefix
	Tags            map[string]string
	SourceDestCheck bool
}

// Addresses are all addresses of both families, the primary ones first.
func (e ENI) Addresses() []netip.Addr {
	return slices.Concat([]netip.Addr{e.Primary}, e.Secondary, e.IPv6)
}

// eni is an ENI's state.
type eni struct {
	spec   topology.ENI
	worker topology.Worker
	subnet *subnet
	limits Limits

	secondary       []netip.Addr
	ipv6            []netip.Addr
	prefixes        []netip.Prefix
	tags            map[string]string
	sourceDestCheck bool
	seen            timeline[lists]
}

// lists are an ENI's addresses as IMDS shows them.
type lists struct {
	ipv4, ipv6                 []netip.Addr
	ipv4Prefixes, ipv6Prefixes []netip.Prefix
}

func (e *eni) id() string { return e.spec.ID }

func (e *eni) lists() lists {
	return lists{
		ipv4:         slices.Concat([]netip.Addr{e.spec.IP}, e.secondary),
		ipv6:         slices.Clone(e.ipv6),
		ipv4Prefixes: e.delegated(true),
		ipv6Prefixes: e.delegated(false),
	}
}

// delegated are the prefixes of one family.
func (e *eni) delegated(v4 bool) []netip.Prefix {
	var some []netip.Prefix
	for _, p := range e.prefixes {
		if p.Addr().Is4() == v4 {
			some = append(some, p)
		}
	}
	return some
}

// count is how much of the limit of a family is used up.
func (e *eni) count(v4 bool) int {
	if v4 {
		return 1 + len(e.secondary) + len(e.delegated(true))
	}
	return len(e.ipv6) + len(e.delegated(false))
}

// limit is how many addresses and prefixes of a family the ENI may have.
func (e *eni) limit(v4 bool) int {
	if v4 {
		return e.limits.IPv4
	}
	return e.limits.IPv6
}

// primary says whether a is one that can neither move nor go.
func (e *eni) primary(a netip.Addr) bool {
	return a == e.spec.IP || e.spec.PrimaryIPv6 && a == e.spec.IPv6[0]
}

// view is the ENI as it is now. It wants mu.
func (v *VPC) view(e *eni) ENI {
	out := ENI{
		Name: e.spec.Name, ID: e.spec.ID, MAC: e.spec.MAC, Description: e.spec.Description,
		SubnetID: e.subnet.spec.ID, VPCID: v.topo.VPC.ID, Zone: e.subnet.spec.Zone, OwnerID: v.topo.Account,
		Worker: e.worker.Name, InstanceID: e.worker.InstanceID, DeviceIndex: e.spec.Index,
		AttachmentID: topology.DeriveID("eni-attach", e.spec.ID), AttachTime: v.started,
		Primary: e.spec.IP, Secondary: slices.Clone(e.secondary), IPv6: slices.Clone(e.ipv6),
		IPv4Prefixes: e.delegated(true), IPv6Prefixes: e.delegated(false),
		Tags: maps.Clone(e.tags), SourceDestCheck: e.sourceDestCheck,
	}
	if e.spec.PrimaryIPv6 {
		out.PrimaryIPv6 = e.spec.IPv6[0]
	}
	return out
}

// hold puts a on e in the control plane, and in the data plane from then on.
// The address must be on no ENI. It wants mu.
func (v *VPC) hold(e *eni, a netip.Addr, then time.Time) {
	v.owners[a] = e
	switch {
	case a == e.spec.IP:
	case a.Is4():
		e.secondary = append(e.secondary, a)
	default:
		e.ipv6 = append(e.ipv6, a)
	}
	v.plane.move(a, e.id(), then, v.now())
}

// drop takes a from e in the control plane, and in the data plane from then on.
func (v *VPC) drop(e *eni, a netip.Addr, then time.Time) {
	v.takeAway(e, a)
	v.plane.move(a, "", then, v.now())
}

// takeAway takes a from e in the control plane only. It wants mu.
func (v *VPC) takeAway(e *eni, a netip.Addr) {
	delete(v.owners, a)
	same := func(b netip.Addr) bool { return a == b }
	e.secondary = slices.DeleteFunc(e.secondary, same)
	e.ipv6 = slices.DeleteFunc(e.ipv6, same)
}

// delegate puts p on e, like hold.
func (v *VPC) delegate(e *eni, p netip.Prefix, then time.Time) {
	v.blocks[p] = e
	e.prefixes = append(e.prefixes, p)
	v.plane.delegate(p, e.id(), then, v.now())
}

// withdraw takes p from e; the counterpart of delegate.
func (v *VPC) withdraw(e *eni, p netip.Prefix, then time.Time) {
	delete(v.blocks, p)
	e.prefixes = slices.DeleteFunc(e.prefixes, func(q netip.Prefix) bool { return p == q })
	v.plane.delegate(p, "", then, v.now())
}

// blockOf is the ENI whose delegated prefix contains a, nil where there is none.
func (v *VPC) blockOf(a netip.Addr) *eni { return v.blocks[blockAround(a)] }

// blockAround is the block of the size that is delegated around a.
func blockAround(a netip.Addr) netip.Prefix {
	bits := topology.PrefixBitsIPv4
	if !a.Is4() {
		bits = topology.PrefixBitsIPv6
	}
	return netip.PrefixFrom(a, bits).Masked()
}

// noted records e's lists for IMDS to show later. Every change ends with it.
func (e *eni) noted(now time.Time) {
	e.seen.set(now, e.lists(), now.Add(-maxStaleness))
}

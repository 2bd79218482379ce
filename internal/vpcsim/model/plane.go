// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"net/netip"
	"slices"
	"time"
)

// plane is the data plane's view of who has what. It follows the control plane
// with a delay per address.
type plane struct {
	addrs  map[netip.Addr]*timeline[string]
	blocks map[netip.Prefix]*timeline[string]
	routes map[routeKey]*timeline[string]
}

type routeKey struct {
	table string
	dst   netip.Prefix
}

func newPlane() plane {
	return plane{
		addrs:  map[netip.Addr]*timeline[string]{},
		blocks: map[netip.Prefix]*timeline[string]{},
		routes: map[routeKey]*timeline[string]{},
	}
}

// move makes eni the owner of a from then on; "" is nobody.
func (p plane) move(a netip.Addr, eni string, then, now time.Time) {
	later(p.addrs, a, eni, then, now)
}

// delegate makes eni the owner of a prefix from then on; "" is nobody.
func (p plane) delegate(block netip.Prefix, eni string, then, now time.Time) {
	later(p.blocks, block, eni, then, now)
}

// route makes eni the target of dst in a table from then on; "" is nobody.
func (p plane) route(table string, dst netip.Prefix, eni string, then, now time.Time) {
	later(p.routes, routeKey{table, dst}, eni, then, now)
}

func later[K comparable](m map[K]*timeline[string], key K, eni string, then, now time.Time) {
	l := m[key]
	if l == nil {
		l = &timeline[string]{}
		l.set(time.Time{}, "", now)
		m[key] = l
	}
	l.set(then, eni, now)
}

// owner is the ENI that has a, by itself or within a prefix.
func (p plane) owner(a netip.Addr, now time.Time) string {
	if l := p.addrs[a]; l != nil {
		if eni := l.at(now); eni != "" {
			return eni
		}
	}
	if l := p.blocks[blockAround(a)]; l != nil {
		return l.at(now)
	}
	return ""
}

// target is where a table leads dst, by the longest prefix.
func (p plane) target(table string, dst netip.Addr, now time.Time) string {
	for bits := dst.BitLen(); bits >= 0; bits-- {
		key := routeKey{table, netip.PrefixFrom(dst, bits).Masked()}
		if l := p.routes[key]; l != nil {
			if eni := l.at(now); eni != "" {
				return eni
			}
		}
	}
	return ""
}

// Deliver tells which ENI the VPC hands a packet to that fromENI (an id or
// name) sends to dst; ok is false when the VPC drops it. Inside of the VPC's
// blocks the owner of dst decides, elsewhere the route table of the sender's
// subnet; an ENI that is a route's target must have its source/destination
// check off. The answer lags behind the calls by the remap delay.
func (v *VPC) Deliver(fromENI string, dst netip.Addr) (eniID string, ok bool) {
	now := v.now()
	v.mu.RLock()
	defer v.mu.RUnlock()
	from := v.find(fromENI)
	if from == nil {
		return "", false
	}
	if owner := v.plane.owner(dst, now); owner != "" {
		return owner, true
	}
	if from.subnet.table == nil {
		return "", false
	}
	target := v.enis[v.plane.target(from.subnet.table.spec.ID, dst, now)]
	if target == nil || target.sourceDestCheck {
		return "", false
	}
	return target.id(), true
}

// Why a packet is delivered to nobody.
const (
	// Unmapped: the destination lies in the VPC, and no ENI owns it.
	Unmapped = "unmapped"
	// NoRoute: no route of the sender's subnet leads out of the VPC to there.
	NoRoute = "no-route"
	// Blackhole: the route leads to an ENI that does not exist any more.
	Blackhole = "blackhole"
	// DestCheck: the route leads to an ENI whose source/destination check is on.
	DestCheck = "dest-check"
)

// Undelivered says why Deliver finds nobody: Unmapped, NoRoute, Blackhole or
// DestCheck.
func (v *VPC) Undelivered(fromENI string, dst netip.Addr) string {
	now := v.now()
	v.mu.RLock()
	defer v.mu.RUnlock()
	from := v.find(fromENI)
	local := slices.ContainsFunc(v.topo.VPC.CIDRs, func(p netip.Prefix) bool { return p.Contains(dst) })
	if from == nil || local || dst.IsLinkLocalUnicast() {
		return Unmapped // a link-local address is asked of neighbours only
	}
	if from.subnet.table == nil {
		return NoRoute
	}
	target := v.plane.target(from.subnet.table.spec.ID, dst, now)
	e := v.enis[target]
	switch {
	case target == "":
		return NoRoute
	case e == nil:
		return Blackhole
	case e.sourceDestCheck:
		return DestCheck
	}
	return Unmapped // a route that came in this moment
}

// Permits says whether an ENI (an id or name) may send from src: its own
// addresses, those in its prefixes, or any with the source/destination check
// off. The answer lags behind the calls by the remap delay.
func (v *VPC) Permits(eniID string, src netip.Addr) bool {
	now := v.now()
	v.mu.RLock()
	defer v.mu.RUnlock()
	e := v.find(eniID)
	if e == nil {
		return false
	}
	return !e.sourceDestCheck || v.plane.owner(src, now) == e.id()
}

// remapped is when the data plane will follow a change that is made now. It
// wants mu, and is drawn anew for every address.
func (v *VPC) remapped(now time.Time) time.Time {
	return now.Add(v.knobs.RemapDelay + v.random(v.knobs.RemapJitter))
}

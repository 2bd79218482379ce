// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// New makes the VPC that t describes, or returns an error that holds every
// topology.Fault of it, too many ENIs or addresses for an instance type among
// them.
func New(t topology.Topology) (*VPC, error) { return NewWithClock(t, time.Now) }

// NewWithClock is New for simulations in virtual time: everything happens at
// the times that clock tells. Delays are waited for in real time all the same;
// leave them at zero.
func NewWithClock(t topology.Topology, clock func() time.Time) (*VPC, error) {
	t, err := topology.Complete(t)
	if err != nil {
		return nil, err
	}
	now := clock()
	v := &VPC{
		started: now,
		now:     clock,
		topo:    t,
		refs:    map[string]string{},
		keys:    map[string]string{},
		knobs:   t.EC2,
		assume:  t.Assumptions,
		subnets: map[string]*subnet{},
		enis:    map[string]*eni{},
		owners:  map[netip.Addr]*eni{},
		blocks:  map[netip.Prefix]*eni{},
		tables:  map[string]*routeTable{},
		plane:   newPlane(),
		imds:    map[string]*IMDSState{},
		buckets: map[string]*bucket{},
		rng:     rand.New(rand.NewPCG(1, 2)),
	}
	v.buildSubnets()
	var faults []error
	for i, w := range t.Workers {
		faults = append(faults, v.buildWorker(fmt.Sprintf("workers[%d]", i), w, now)...)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	v.buildTables()
	for _, d := range t.EC2.Deny {
		for _, action := range d.Actions {
			v.AddFault(Fault{Action: action, AccessKey: d.AccessKey, Worker: d.Worker, Code: CodeUnauthorized})
		}
	}
	return v, nil
}

func (v *VPC) buildSubnets() {
	for _, s := range v.topo.Subnets {
		sub := &subnet{spec: s, tags: maps.Clone(s.Tags)}
		v.subnets[s.ID] = sub
		for _, r := range s.Reservations {
			v.reserve(sub, Reservation{CIDR: r.CIDR, Type: r.Type, Description: r.Description})
		}
	}
}

func (v *VPC) buildWorker(path string, w topology.Worker, now time.Time) []error {
	v.imds[w.Name] = &IMDSState{Staleness: v.topo.IMDS.Staleness, HopLimit: w.HopLimit}
	v.keys[accessKeyOf(w.Name)] = w.Name
	limits, known := InstanceTypeLimits(w.Type)
	override(&limits.IPv4, w.IPv4PerENI)
	override(&limits.IPv6, w.IPv6PerENI)
	override(&limits.ENIs, w.MaxENIs)
	if !known && (limits.IPv4 == 0 || limits.IPv6 == 0 || limits.ENIs == 0) {
		return []error{topology.Fault{Path: path + ".type",
			Text: fmt.Sprintf("the limits of instance type %q are not known", w.Type),
			Cure: "write ipv4-per-eni, ipv6-per-eni and max-enis beside it, or choose one of t3, m5, m5n, m6i, m6in, m7i, m6g, c5, c5n, c6i, c6in, c7i, c6gn, r5, r6i"}}
	}
	var faults []error
	if len(w.ENIs) > limits.ENIs {
		faults = append(faults, topology.Fault{Path: path + ".enis",
			Text: fmt.Sprintf("%d ENIs are more than the %d of %s", len(w.ENIs), limits.ENIs, w.Type),
			Cure: "choose a larger type, or write max-enis"})
	}
	for i, e := range w.ENIs {
		if err := v.buildENI(fmt.Sprintf("%s.enis[%d]", path, i), e, w, limits, now); err != nil {
			faults = append(faults, err)
		}
	}
	return faults
}

func (v *VPC) buildENI(path string, spec topology.ENI, w topology.Worker, limits Limits, now time.Time) error {
	e := &eni{spec: spec, worker: w, limits: limits, sourceDestCheck: !spec.NoSourceDestCheck, tags: maps.Clone(spec.Tags)}
	for _, s := range v.subnets {
		if s.spec.Name == spec.Subnet {
			e.subnet = s
		}
	}
	v.refs[spec.Name], v.refs[spec.ID] = spec.ID, spec.ID
	v.enis[spec.ID] = e
	for _, a := range slices.Concat([]netip.Addr{spec.IP}, spec.Secondary, spec.IPv6) {
		v.hold(e, a, now)
	}
	for _, p := range spec.Prefixes {
		v.delegate(e, p, now)
	}
	e.seen.set(now, e.lists(), now)
	if n := e.count(true); n > limits.IPv4 {
		return topology.Fault{Path: path, Text: fmt.Sprintf("%d IPv4 addresses and prefixes are more than the %d per ENI of %s", n, limits.IPv4, w.Type),
			Cure: "remove some, choose a larger type, or write ipv4-per-eni"}
	}
	if n := e.count(false); n > limits.IPv6 {
		return topology.Fault{Path: path, Text: fmt.Sprintf("%d IPv6 addresses and prefixes are more than the %d per ENI of %s", n, limits.IPv6, w.Type),
			Cure: "remove some, choose a larger type, or write ipv6-per-eni"}
	}
	return nil
}

func (v *VPC) buildTables() {
	for _, spec := range v.topo.RouteTables {
		t := &routeTable{spec: spec, routes: map[netip.Prefix]string{}, tags: maps.Clone(spec.Tags)}
		for _, r := range spec.Routes {
			t.routes[r.Destination] = v.refs[r.ENI]
			v.plane.route(spec.ID, r.Destination, v.refs[r.ENI], v.started, v.started)
		}
		v.tables[spec.ID] = t
		for _, s := range v.subnets {
			if s.spec.RouteTable == spec.Name {
				s.table = t
			}
		}
	}
}

func override(n *int, with int) {
	if with > 0 {
		*n = with
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"maps"
	"slices"
	"strings"
)

// Defaults of what a file may leave out.
const (
	defaultRegion  = "eu-central-1"
	defaultAccount = "123456789012" // the account of AWS' own examples
	// DefaultHopLimit lets pods reach IMDS, as EKS managed node groups do.
	DefaultHopLimit = 2
	defaultType     = "m5.xlarge"
	defaultRole     = "-role"
)

// complete fills in what can be derived. It works on copies of all slices and
// maps that it changes, so that the caller's topology stays as it is.
func complete(t *Topology) {
	fill(&t.Region, defaultRegion)
	fill(&t.Account, defaultAccount)
	fill(&t.VPC.ID, DeriveID("vpc", "vpc"))
	if !t.EC2.Address.IsValid() {
		t.EC2.Address = DefaultEC2Address
	}
	t.Assumptions = t.Assumptions.WithDefaults()

	t.RouteTables = slices.Clone(t.RouteTables)
	if !slices.ContainsFunc(t.RouteTables, func(r RouteTable) bool { return r.Name == MainRouteTable }) {
		t.RouteTables = append(t.RouteTables, RouteTable{Name: MainRouteTable})
	}
	for i := range t.RouteTables {
		r := &t.RouteTables[i]
		fill(&r.ID, DeriveID("rtb", r.Name))
		r.Tags = maps.Clone(r.Tags)
	}

	t.Subnets = slices.Clone(t.Subnets)
	for i := range t.Subnets {
		s := &t.Subnets[i]
		fill(&s.ID, DeriveID("subnet", s.Name))
		fill(&s.Zone, t.Region+"a")
		fill(&s.RouteTable, MainRouteTable)
		s.Tags = maps.Clone(s.Tags)
		s.Reservations = slices.Clone(s.Reservations)
		for j := range s.Reservations {
			fill(&s.Reservations[j].Type, ReservationExplicit)
		}
	}

	t.Workers = slices.Clone(t.Workers)
	for i := range t.Workers {
		completeWorker(&t.Workers[i])
	}
}

func completeWorker(w *Worker) {
	fill(&w.InstanceID, DeriveID("i", w.Name))
	fill(&w.Type, defaultType)
	fill(&w.Role, w.Name+defaultRole)
	fill(&w.Machine, MachineNamespace)
	if w.HopLimit == 0 {
		w.HopLimit = DefaultHopLimit
	}
	w.ENIs = slices.Clone(w.ENIs)
	for i := range w.ENIs {
		e := &w.ENIs[i]
		fill(&e.ID, DeriveID("eni", e.Name))
		fill(&e.MAC, DeriveMAC(e.Name))
		e.MAC = strings.ToLower(e.MAC)
		e.Tags = maps.Clone(e.Tags)
	}
}

func fill(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// check holds what the pods believe against what EC2 has.
func (w *world) check(s *script) error {
	for _, p := range s.pods {
		if p.left > 0 {
			continue
		}
		for _, n := range p.nets {
			if err := w.holds(n.eni.facts.ID, n.v4, n.v6); err != nil {
				return fmt.Errorf("a pod on %s counts as routed: %w", p.worker.name, err)
			}
		}
	}
	var tables []model.RouteTable
	if len(w.tables) > 0 {
		out, err := w.account.vpc.DescribeRouteTables(context.Background(), model.DescribeInput{})
		if err != nil {
			return fmt.Errorf("read the route tables: %w", err)
		}
		tables = out.Tables
	}
	for _, f := range s.floats {
		if f.left > 0 {
			continue
		}
		if err := w.reaches(f, tables); err != nil {
			return fmt.Errorf("a floating IP counts as moved to %s: %w", f.to.worker.name, err)
		}
	}
	return nil
}

// reaches says whether EC2 has a floating IP where it is to be.
func (w *world) reaches(f *float, tables []model.RouteTable) error {
	eni := f.to.nets[0].eni.facts.ID
	if !f.across {
		return w.holds(eni, f.v4, f.v6)
	}
	for _, t := range tables {
		if t.Main {
			continue
		}
		for _, p := range f.prefixes() {
			if !slices.ContainsFunc(t.Routes, func(r model.Route) bool { return r.Destination == p && r.ENI == eni }) {
				return fmt.Errorf("%s does not lead %s to %s", t.ID, p, eni)
			}
		}
	}
	return nil
}

func (w *world) holds(eni string, addrs ...netip.Addr) error {
	for _, a := range addrs {
		if e, held := w.account.vpc.Owner(a); !held || e.ID != eni {
			return fmt.Errorf("EC2 has %s on %q, not on %s", a, e.ID, eni)
		}
	}
	return nil
}

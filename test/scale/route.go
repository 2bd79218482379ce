// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// A route is a floating IP of both families across zones: a route in each
// table.
type route struct {
	to    *pod
	dst   []netip.Prefix
	at    time.Duration
	left  int
	moved time.Duration
}

// move replaces the routes in all tables at once, each retried by the ledger's
// times until it is done.
func (r *route) move(w *world, tables []topology.RouteTable, dice *rand.Rand) {
	r.left = len(tables) * len(r.dst)
	for _, t := range w.account.vpc.Topology().RouteTables {
		if t.Name == topology.MainRouteTable {
			continue
		}
		for _, d := range r.dst {
			in := model.RouteInput{RouteTableID: t.ID, Destination: d, NetworkInterfaceID: r.to.nets[0].eni.facts.ID}
			w.spawn(func(t *task) {
				for fails := 0; ; fails++ {
					_, err := ask(w.account, t, "ReplaceRoute", func(ctx context.Context) (struct{}, error) {
						return struct{}{}, w.account.vpc.ReplaceRoute(ctx, in)
					})
					if err == nil || t.over {
						break
					}
					if !t.sleep(time.Duration(dice.Float64() * float64(double(fails, ledger.RetryCap)))) {
						break
					}
				}
				if r.left--; r.left == 0 {
					r.moved = w.now
				}
			})
		}
	}
}

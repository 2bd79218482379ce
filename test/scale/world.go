// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// never is the time between two looks at IMDS for addresses that nobody waits
// for: they cost no EC2 call, and there is nothing to find. A test holds it
// against the registrar's own.
const never = 1000 * time.Hour

// A world is one run: a cluster, its account, and virtual time.
type world struct {
	*engine
	*cluster
	account  *account
	seed     uint64
	tables   []string       // IDs of the route tables beside the main one
	hints    time.Duration  // between two looks at IMDS
	shortcut bool           // see registrar.insist
	before   map[string]int // tokens taken before the first pod started
	bound    float64        // see podRouted
	busiest  string
}

// newWorld starts virtual time over a cluster.
func newWorld(o options, c *cluster, tables []topology.RouteTable) (*world, error) {
	e := newEngine()
	vpc, err := model.NewWithClock(c.topology(tables), e.clock)
	if err != nil {
		return nil, fmt.Errorf("make the VPC: %w", err)
	}
	vpc.Assume(func(a *topology.Assumptions) { a.RefusedCallsCost = o.refusedCost })
	w := &world{engine: e, cluster: c, seed: o.seed, hints: cmp.Or(o.hints, never), shortcut: !o.long && !o.refusedCost, account: &account{
		engine: e, vpc: vpc, rng: rand.New(rand.NewPCG(o.seed, 0)), tally: map[string]*tally{}}}
	for _, t := range vpc.Topology().RouteTables {
		if t.Name != topology.MainRouteTable {
			w.tables = append(w.tables, t.ID)
		}
	}
	for _, worker := range c.workers {
		if err := worker.learn(vpc); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// learn reads what IMDS tells of a worker, once for all of its pods.
func (w *worker) learn(vpc *model.VPC) error {
	in, err := vpc.Instance(w.name)
	if err != nil {
		return err
	}
	w.inv = eniassign.Inventory{FromIMDS: true, InstanceID: in.Worker.InstanceID, InstanceType: in.Worker.Type, Region: in.Region}
	for _, i := range in.Interfaces {
		f := eniassign.ENI{
			ID: i.ID, MAC: i.MAC, DeviceIndex: i.DeviceIndex, InstanceID: in.Worker.InstanceID, InstanceType: in.Worker.Type,
			SubnetID: i.Subnet.ID, VPCID: in.VPCID, Primary: i.IPv4[0], Addresses: append(i.IPv4, i.IPv6...),
		}
		f.CIDRs = append(f.CIDRs, i.Subnet.CIDR)
		if i.Subnet.IPv6.IsValid() {
			f.CIDRs = append(f.CIDRs, i.Subnet.IPv6)
		}
		w.inv.ENIs = append(w.inv.ENIs, f)
		if i.DeviceIndex > 0 {
			w.enis[i.DeviceIndex-1].facts = f
		}
	}
	return nil
}

// dice are random numbers for one actor of the run.
func (w *world) dice(actor int) *rand.Rand { return rand.New(rand.NewPCG(w.seed, uint64(actor)+1)) }

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// A VPC is the state of one VPC with everything in it. Its methods may be
// called from many goroutines at once.
type VPC struct {
	started time.Time
	topo    topology.Topology
	// refs leads from the name and the id of an ENI to its id.
	refs map[string]string
	// keys leads from an access key id that IMDS hands out to its worker.
	keys map[string]string
	// now is the clock of everything in the VPC.
	now func() time.Time

	mu      sync.RWMutex
	knobs   topology.EC2
	assume  topology.Assumptions
	subnets map[string]*subnet // by id
	enis    map[string]*eni    // by id
	owners  map[netip.Addr]*eni
	blocks  map[netip.Prefix]*eni
	tables  map[string]*routeTable // by id
	plane   plane
	imds    map[string]*IMDSState // by worker
	buckets map[string]*bucket
	rng     *rand.Rand
	faults  []*activeFault
	faultID int
	calls   []*Call
	witness Witness
}

// Topology is what the VPC was made from, complete.
func (v *VPC) Topology() topology.Topology { return v.topo }

// Tune changes how the EC2 API behaves from now on: f is given the present
// settings and changes them. What is under way keeps its delays.
func (v *VPC) Tune(f func(*topology.EC2)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f(&v.knobs)
}

// Assume selects the outcomes of what no source settles, from now on: f is
// given the present ones and changes them.
func (v *VPC) Assume(f func(*topology.Assumptions)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f(&v.assume)
	v.assume = v.assume.WithDefaults()
}

// find returns the ENI of an id or name, nil where there is none. It wants mu.
func (v *VPC) find(ref string) *eni { return v.enis[v.refs[ref]] }

// random returns an even draw from [0, most). It wants mu.
func (v *VPC) random(most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return time.Duration(v.rng.Int64N(int64(most)))
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// maxStaleness is how far IMDS can look back.
const maxStaleness = time.Hour

// IMDSState is how the instance metadata service of one worker behaves.
type IMDSState struct {
	// Down closes every connection without an answer.
	Down bool
	// Blocked never answers, as a firewall rule or network policy would.
	Blocked bool
	// Staleness is how far the address lists lie in the past, at most an hour.
	Staleness time.Duration
	// HopLimit is the IP TTL of the answer to a token request. The network
	// below the server has to apply it.
	HopLimit int
}

// An Instance is what a worker's metadata says of it. Its lists of addresses
// lie in the past by the staleness.
type Instance struct {
	Worker     topology.Worker
	Region     string
	Account    string
	Zone       string
	VPCID      string
	VPCBlocks  []netip.Prefix
	Interfaces []InstanceInterface
}

// An InstanceInterface is one ENI in the metadata.
type InstanceInterface struct {
	ID, MAC     string
	DeviceIndex int
	Subnet      topology.Subnet
	// IPv4 begins with the primary address.
	IPv4, IPv6                 []netip.Addr
	IPv4Prefixes, IPv6Prefixes []netip.Prefix
}

// Instance returns the metadata of a worker.
func (v *VPC) Instance(worker string) (Instance, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	i := slices.IndexFunc(v.topo.Workers, func(w topology.Worker) bool { return w.Name == worker })
	if i < 0 {
		return Instance{}, fmt.Errorf("there is no worker %q in the topology", worker)
	}
	w := v.topo.Workers[i]
	out := Instance{Worker: w, Region: v.topo.Region, Account: v.topo.Account, VPCID: v.topo.VPC.ID, VPCBlocks: v.topo.VPC.CIDRs}
	then := v.now().Add(-v.imds[worker].Staleness)
	for _, spec := range w.ENIs {
		e := v.enis[spec.ID]
		if e == nil { // deleted
			continue
		}
		seen := e.seen.at(then)
		if spec.Index == 0 {
			out.Zone = e.subnet.spec.Zone
		}
		out.Interfaces = append(out.Interfaces, InstanceInterface{
			ID: spec.ID, MAC: spec.MAC, DeviceIndex: spec.Index, Subnet: e.subnet.spec,
			IPv4: seen.ipv4, IPv6: seen.ipv6, IPv4Prefixes: seen.ipv4Prefixes, IPv6Prefixes: seen.ipv6Prefixes,
		})
	}
	slices.SortFunc(out.Interfaces, func(a, b InstanceInterface) int { return a.DeviceIndex - b.DeviceIndex })
	return out, nil
}

// IMDS returns how the metadata service of a worker behaves now.
func (v *VPC) IMDS(worker string) IMDSState {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if s := v.imds[worker]; s != nil {
		return *s
	}
	return IMDSState{Down: true}
}

// TuneIMDS changes how the metadata service of a worker behaves from now on,
// or of all workers when worker is "": f is given the present state and
// changes it. It says whether there is such a worker.
func (v *VPC) TuneIMDS(worker string, f func(*IMDSState)) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	found := false
	for name, s := range v.imds {
		if worker == "" || worker == name {
			f(s)
			s.Staleness = min(s.Staleness, maxStaleness)
			found = true
		}
	}
	return found
}

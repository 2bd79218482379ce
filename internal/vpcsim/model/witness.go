// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import "net/netip"

// A Moment is how far a call is.
type Moment int

// The moments of a call, in their order. One that is refused has no Worked.
const (
	Arrived Moment = iota
	Worked
	Answered
)

// A Witness is told of every call, in the order in which things happen. It runs
// with the VPC locked: it must neither wait nor call the VPC.
type Witness func(Moment, Call)

// SetWitness makes w the one that is told from now on; nil for nobody.
func (v *VPC) SetWitness(w Witness) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.witness = w
}

// tell wants mu.
func (v *VPC) tell(m Moment, c *Call) {
	if v.witness != nil {
		v.witness(m, *c)
	}
}

// holders are the ENIs that have what a call names, "" for none. It wants mu.
func (v *VPC) holders(r request) []string {
	out := make([]string, len(r.addrs))
	for i, text := range r.addrs {
		if p, err := netip.ParsePrefix(text); err == nil {
			if t := v.tables[r.table]; t != nil {
				out[i] = t.routes[p]
			}
			continue
		}
		if a, err := netip.ParseAddr(text); err == nil && v.owners[a] != nil {
			out[i] = v.owners[a].id()
		}
	}
	return out
}

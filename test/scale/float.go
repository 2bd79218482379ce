// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"net/netip"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
)

// A float is a floating IP of both families that moves to another pod: inside
// of its zone as a secondary address of the pod's first ENI, across zones as a
// route to that ENI in each route table.
type float struct {
	to     *pod
	v4, v6 netip.Addr
	across bool
	at     time.Duration
	left   int // targets that are not acknowledged yet
	moved  time.Duration
	over   bool // what moves it has stopped trying
}

// floatsTo makes a floating IP that a pod knows of.
func (s *script) floatsTo(to *pod, v4, v6 netip.Addr, at time.Duration) *float {
	f := &float{to: to, v4: v4, v6: v6, at: at, left: 2}
	to.floats = append(to.floats, f)
	s.floats = append(s.floats, f)
	return f
}

func (f *float) prefixes() []netip.Prefix {
	return []netip.Prefix{netip.PrefixFrom(f.v4, f.v4.BitLen()), netip.PrefixFrom(f.v6, f.v6.BitLen())}
}

// targets are what EC2 is to make of it.
func (f *float) targets(tables []string) []ledger.Target {
	if !f.across {
		tables = []string{""}
	}
	var out []ledger.Target
	for _, t := range tables {
		for _, a := range []netip.Addr{f.v4, f.v6} {
			out = append(out, ledger.Target{ENI: f.to.nets[0].eni.facts.ID, Table: t, Addr: a})
		}
	}
	return out
}

func (f *float) acked(now time.Duration) {
	if f.left--; f.left == 0 {
		f.moved = now
	}
}

func (f *float) ended() bool { return f.left == 0 || f.over }

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"strings"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/vswitch"
)

// patientlySilent is how long a ping is waited for that should have no answer:
// a thousand times what an answer takes.
const patientlySilent = 500 * time.Millisecond

// silence shows that nothing arrives, and why.
func (s *story) silence(ctx context.Context) (err error) {
	s.t.chapter("2. The pods ping one another, and nothing arrives")
	if s.before, err = s.pingAll(ctx, pairs(), s.topo, patientlySilent); err != nil {
		return err
	}
	s.t.table(silenceTable(s.before, s.sim.Traffic()))
	s.t.note("A VPC delivers a packet only if EC2 has its source on the ENI that it comes from, and its "+
		"destination on some ENI. Dropped so far: %d by the source check, %d for unmapped destinations.",
		s.dropped(vswitch.SourceCheck), s.dropped(vswitch.Unmapped))
	heard := unlike(s.before, false)
	return s.demand(len(heard) == 0, "no ping is answered", "Answered: "+strings.Join(heard, ", "))
}

// voices pings again, now that EC2 knows the addresses.
func (s *story) voices(ctx context.Context) error {
	s.t.chapter("4. The same pings again")
	now, err := s.pingAll(ctx, pairs(), s.topo, s.opts.Patience)
	if err != nil {
		return err
	}
	s.t.table(voicesTable(s.before, now))
	silent := unlike(now, true)
	s.expect(len(silent) == 0, "every ping is answered", "Silent: "+strings.Join(silent, ", "))
	return nil
}

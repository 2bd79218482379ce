// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vpcsim

import (
	"context"
	"time"
)

// blockDelay is how soon the network follows when IMDS is blocked or let
// through again. Until then the server itself does not answer.
const blockDelay = 20 * time.Millisecond

// followBlocks keeps the network like the model's IMDSState.Blocked.
func (s *Sim) followBlocks(ctx context.Context) {
	tick := time.NewTicker(blockDelay)
	defer tick.Stop()
	blocked := make(map[string]bool)
	for {
		for _, w := range s.VPC.Topology().Workers {
			want := s.VPC.IMDS(w.Name).Blocked
			worker := s.Fabric.Worker(w.Name)
			if worker == nil || want == blocked[w.Name] {
				continue
			}
			if worker.BlockIMDS(want) == nil { // else it is being removed, or tried again
				blocked[w.Name] = want
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

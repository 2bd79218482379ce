// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import "testing"

// TestAnswersThatAreThereAreHeard: a success among them counts, whatever else is.
func TestAnswersThatAreThereAreHeard(t *testing.T) {
	e := &early{replies: make(chan reply, 3), flying: 3}
	e.replies <- reply{refusal: &verdict{}}
	e.replies <- reply{}
	e.collect()
	if !e.succeeded() || e.flying != 1 {
		t.Errorf("succeeded: %v, still under way: %d; want true, 1", e.succeeded(), e.flying)
	}
}

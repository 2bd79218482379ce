// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// ErrNotAsTold says that something in the story did not happen, or happened
// otherwise. Report.Failed says what.
var ErrNotAsTold = errors.New("the demo did not go as it should")

// errStop ends the story where what follows would make no sense. The check that
// failed has been told.
var errStop = errors.New("the story cannot go on")

// expect checks one thing, tells how it went, and remembers it: what should
// be the case, and, where it is not, what is.
func (s *story) expect(ok bool, want, instead string) bool {
	s.report.Checks++
	if ok {
		s.t.verdict(true, want)
		return true
	}
	text := want + ": no. " + instead
	s.t.verdict(false, text)
	if len(s.report.Failed) == 0 {
		s.evidence()
	}
	s.report.Failed = append(s.report.Failed, text)
	return false
}

// demand is expect for what the rest of the story is built on.
func (s *story) demand(ok bool, want, instead string) error {
	if !s.expect(ok, want, instead) {
		return errStop
	}
	return nil
}

// lastCalls are enough to see a failover in.
const lastCalls = 8

// evidence prints what somebody wants to see who looks for the fault.
func (s *story) evidence() {
	calls := s.sim.VPC.Calls()
	t := table{head: []string{"ms", "worker", "the last EC2 calls", "addresses", "answer"}, numbers: []int{0}}
	for _, c := range calls[max(0, len(calls)-lastCalls):] {
		answer := cmp.Or(c.Code, "ok")
		if !c.Done {
			answer = "under way"
		}
		t.row(thousands(int(c.Time.Sub(s.t.began).Milliseconds())), c.Worker, c.Action, strings.Join(c.Addresses, " "), answer)
	}
	if len(calls) > 0 {
		s.t.table(t)
	}
	for _, p := range s.procs {
		s.t.gap()
		s.t.note("%s has printed last:", p.Name)
		s.t.note("%s", cmp.Or(p.Tail(), "nothing"))
	}
	s.t.gap()
}

// summary prints what was measured, and whether all went as told.
func (s *story) summary() {
	s.t.chapter("What was measured")
	if len(s.report.Routed) > 0 {
		s.t.table(routedTable(s.report.Routed))
	}
	if len(s.report.Failovers) > 0 {
		s.t.table(failoverTable(s.report.Failovers))
	}
	s.t.note("EC2 calls of the whole story: %s", count(s.report.Calls))
	s.t.gap()
	if s.report.OK {
		s.t.stamped(good, fmt.Sprintf("All as expected: %d checks.", s.report.Checks))
		return
	}
	s.t.stamped(bad, fmt.Sprintf("Not as expected: %d of %d checks.", len(s.report.Failed), s.report.Checks))
	for _, f := range s.report.Failed {
		s.t.note("✗ %s", f)
	}
}

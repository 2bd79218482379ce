// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package registrar

import (
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// stops are the calls in flight that can be stopped. Only the goroutine that
// owns the ledger uses them.
type stops map[chan struct{}]eniassign.Call

// add returns the call with a Stop of its own, and what ends that with the answer.
func (s stops) add(c eniassign.Call) (eniassign.Call, func()) {
	if c.Verb == eniassign.Release {
		return c, func() {}
	}
	stop := make(chan struct{})
	s[stop], c.Stop = c, stop
	return c, func() { delete(s, stop) }
}

// unwanted stops the calls of which no address is wanted any more.
func (s stops) unwanted(l *ledger.Ledger) {
	for stop, c := range s {
		if !l.Wants(c) {
			close(stop)
			delete(s, stop)
		}
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"time"
)

// A Report is what was measured, as JSON has it.
type Report struct {
	// OK says that every check of the story came out as expected; Failed has
	// those that did not.
	OK     bool     `json:"ok"`
	Checks int      `json:"checks"`
	Failed []string `json:"failed"`
	// Took is the whole story's time.
	Took Millis `json:"tookMs"`
	// IPvlan says that the pods' interfaces were real ipvlan devices.
	IPvlan    bool       `json:"ipvlan"`
	Routed    []Routed   `json:"routed"`
	Failovers []Failover `json:"failovers"`
	// Calls are all EC2 calls by action.
	Calls map[string]int `json:"ec2Calls"`
}

// Routed is how long a pod waited for its addresses.
type Routed struct {
	Pod     string `json:"pod"`
	Worker  string `json:"worker"`
	Command string `json:"command"`
	// After is the time from the start of the process until it said that EC2
	// has acknowledged every address.
	After Millis         `json:"afterMs"`
	Calls map[string]int `json:"ec2Calls"`
}

// A Failover is the move of the floating addresses from one pod to another.
type Failover struct {
	Name     string         `json:"name"`
	Calls    map[string]int `json:"ec2Calls"`
	Families []Move         `json:"families"`
}

// A Move is one address of a Failover.
type Move struct {
	Address netip.Addr `json:"address"`
	// Sent, Lost and Gap are a client's view at 1,000 packets a second: Gap is
	// the longest time without an answer.
	Sent int    `json:"sent"`
	Lost int    `json:"lost"`
	Gap  Millis `json:"longestGapMs"`
	// Requested is the time from the address' appearance in the kernel to the
	// arrival of the first request about it at EC2.
	Requested Millis `json:"requestedAfterMs"`
	// Acknowledged is the time until EC2's answer that it has moved. EC2 is how
	// much of that EC2 had a call in hand.
	Acknowledged Millis `json:"acknowledgedAfterMs"`
	EC2          Millis `json:"ofThatEC2Ms"`
}

// Millis is a duration that is a number of milliseconds in JSON.
type Millis time.Duration

// MarshalJSON writes milliseconds with one decimal.
func (m Millis) MarshalJSON() ([]byte, error) {
	return json.Marshal(math.Round(float64(m)/float64(time.Millisecond)*10) / 10)
}

func (m Millis) String() string { return millis(time.Duration(m)) }

func total(calls map[string]int) (n int) {
	for _, c := range calls {
		n += c
	}
	return n
}

// routedTable says how long pods waited for their addresses.
func routedTable(all []Routed) table {
	t := table{head: []string{"pod", "on", "registrar", "start to routed", "EC2 calls"}, numbers: []int{3, 4}}
	for _, r := range all {
		t.row(r.Pod, r.Worker, r.Command, r.After.String(), fmt.Sprint(total(r.Calls)))
	}
	return t
}

// failoverTable says what failovers cost.
func failoverTable(all []Failover) table {
	t := table{
		head:    []string{"failover", "", "lost", "longest gap", "EC2's ok after", "of that EC2", "EC2 calls"},
		numbers: []int{2, 3, 4, 5, 6},
	}
	for _, f := range all {
		name, calls := f.Name, fmt.Sprint(total(f.Calls))
		for _, m := range f.Families {
			t.row(name, familyName(m.Address), fmt.Sprintf("%s of %s", thousands(m.Lost), thousands(m.Sent)),
				m.Gap.String(), m.Acknowledged.String(), m.EC2.String(), calls)
			name, calls = "", ""
		}
	}
	return t
}

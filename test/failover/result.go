// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"time"
)

// A Result is what a scenario has shown, as JSON has it.
type Result struct {
	Name string `json:"name"`
	What string `json:"what"`
	// Kind is how the VPC delivers the floating IPs.
	Kind string `json:"kind"`
	// Took is the time from the trouble's beginning to the end of the watch.
	Took     Millis   `json:"tookMs"`
	Families []Family `json:"families"`
	// Calls are the EC2 calls of both pods by action, and how many only asked
	// for the right to one; Refused is how many did not end with success.
	Calls   map[string]int `json:"ec2Calls"`
	Refused int            `json:"ec2CallsRefused"`
	// Holder is the pod that must have the addresses in the end. Right says
	// that it has, that EC2 says so, that packets flow, and that it stays so;
	// Wrong says what is not so.
	Holder string   `json:"holder"`
	Right  bool     `json:"right"`
	Wrong  []string `json:"wrong,omitempty"`
	// Otherwise says that keepalived has chosen the other pod in the end, as it
	// does when a busy machine lets its advertisements wait. Then nothing of
	// this counts.
	Otherwise bool `json:"otherwise,omitempty"`
	// Missed are the goals that were not reached.
	Missed   []string `json:"missed,omitempty"`
	Timeline Timeline `json:"timeline"`

	goal goal
}

// dryRuns is the key in Result.Calls of the calls that changed nothing.
const dryRuns = "DryRun"

// A Family is one of the floating IPs, since the trouble began; where they are
// routes, in one of the route tables.
type Family struct {
	Address    netip.Addr `json:"address"`
	RouteTable string     `json:"routeTable,omitempty"`
	// Sent, Lost and Gap are a client's view at 1,000 packets a second; Gap is
	// the longest time without an answer.
	Sent int    `json:"sent"`
	Lost int    `json:"lost"`
	Gap  Millis `json:"longestGapMs"`
	// Keepalived is its share: from the trouble until the address was settled
	// in the kernel of the pod that has it in the end.
	Keepalived Millis `json:"keepalivedMs"`
	// Restored is the registrar's and EC2's share: from then until the last
	// lost packet was sent. LostAfter are the packets lost in that time.
	Restored  Millis `json:"restoredAfterMs"`
	LostAfter int    `json:"lostAfter"`
	// EC2 is how much of Restored EC2 had a call of the holder's in hand.
	EC2 Millis `json:"ofThatEC2Ms"`
	// Taken is how many calls took the address from another pod's ENI.
	Taken int `json:"taken"`
}

func (f Family) way() way { return way{addr: f.Address, table: f.RouteTable} }

// total is the number of calls.
func (r Result) total() (n int) {
	for _, c := range r.Calls {
		n += c
	}
	return n
}

// A report is the JSON file.
type report struct {
	Machine string   `json:"machine"`
	Took    Millis   `json:"tookMs"`
	Results []Result `json:"scenarios"`
}

// Millis is a duration that is a number of milliseconds in JSON.
type Millis time.Duration

// MarshalJSON writes milliseconds with one decimal.
func (m Millis) MarshalJSON() ([]byte, error) {
	return json.Marshal(math.Round(float64(m)/float64(time.Millisecond)*10) / 10)
}

func (m Millis) String() string { return fmt.Sprintf("%d ms", time.Duration(m).Milliseconds()) }

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"slices"
	"time"
)

// Never is the time of an answer that did not come.
const Never = time.Duration(-1)

// A Packet is one numbered packet: when it was sent and when its answer came
// back, since the stream began.
type Packet struct{ Sent, Answered time.Duration }

// A Loss is what a client has seen of a stream of packets.
type Loss struct {
	Sent int
	Lost int
	// Gap is the longest time without any answer: between two answers in a
	// row, or from the start to the first, or from the last to the end.
	Gap time.Duration
}

// Measure judges the packets of a stream whose client stopped listening at end.
func Measure(packets []Packet, end time.Duration) Loss {
	l := Loss{Sent: len(packets)}
	answers := []time.Duration{}
	for _, p := range packets {
		if p.Answered == Never {
			l.Lost++
			continue
		}
		answers = append(answers, p.Answered)
	}
	slices.Sort(answers)
	last := time.Duration(0)
	for _, a := range append(answers, end) {
		l.Gap = max(l.Gap, a-last)
		last = a
	}
	return l
}

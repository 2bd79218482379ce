// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"slices"
	"time"
)

// never is the time of an answer that did not come.
const never = time.Duration(-1)

// A packet is one numbered packet: when it was sent and when its answer came
// back, since the stream began.
type packet struct{ sent, answered time.Duration }

// A loss is what a client has seen of a stream of packets.
type loss struct {
	Sent int
	Lost int
	// Gap is the longest time without any answer: between two answers in a
	// row, or from the start to the first, or from the last to the end.
	Gap time.Duration
}

// measure judges the packets of a stream whose client stopped listening at end.
func measure(packets []packet, end time.Duration) loss {
	l := loss{Sent: len(packets)}
	answers := []time.Duration{}
	for _, p := range packets {
		if p.answered == never {
			l.Lost++
			continue
		}
		answers = append(answers, p.answered)
	}
	slices.Sort(answers)
	last := time.Duration(0)
	for _, a := range append(answers, end) {
		l.Gap = max(l.Gap, a-last)
		last = a
	}
	return l
}

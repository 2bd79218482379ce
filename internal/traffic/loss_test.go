// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"testing"
	"time"
)

const ms = time.Millisecond

// steady are n packets from a moment on, 1 ms apart, each answered after rtt.
func steady(from time.Duration, n int, rtt time.Duration) (out []Packet) {
	for i := range n {
		sent := from + time.Duration(i)*ms
		out = append(out, Packet{sent, sent + rtt})
	}
	return out
}

// unheard are like steady, without any answer.
func unheard(from time.Duration, n int) []Packet {
	out := steady(from, n, 0)
	for i := range out {
		out[i].Answered = Never
	}
	return out
}

func join(parts ...[]Packet) (out []Packet) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func TestMeasureIsAClientsView(t *testing.T) {
	for _, tc := range []struct {
		name    string
		packets []Packet
		end     time.Duration
		want    Loss
	}{
		{"nothing sent", nil, 50 * ms, Loss{Gap: 50 * ms}},
		{"no loss", steady(0, 100, ms), 100 * ms, Loss{Sent: 100, Gap: ms}},
		{"one gap", join(steady(0, 100, ms), unheard(100*ms, 50), steady(150*ms, 50, ms)), 200 * ms,
			Loss{Sent: 200, Lost: 50, Gap: 51 * ms}},
		{"the longest of two", join(steady(0, 10, ms), unheard(10*ms, 5), steady(15*ms, 5, ms), unheard(20*ms, 20), steady(40*ms, 9, ms)), 49 * ms,
			Loss{Sent: 49, Lost: 25, Gap: 21 * ms}},
		{"never again", join(steady(0, 10, ms), unheard(10*ms, 90)), 100 * ms,
			Loss{Sent: 100, Lost: 90, Gap: 90 * ms}},
		{"not at first", join(unheard(0, 30), steady(30*ms, 10, ms)), 40 * ms,
			Loss{Sent: 40, Lost: 30, Gap: 31 * ms}},
		{"late answers are answers, and the silence before them is a gap", join(steady(0, 10, ms), steady(10*ms, 5, 80*ms)), 100 * ms,
			Loss{Sent: 15, Gap: 80 * ms}},
		{"answers out of order", []Packet{{0, 5 * ms}, {1 * ms, 2 * ms}, {2 * ms, 3 * ms}}, 5 * ms,
			Loss{Sent: 3, Gap: 2 * ms}},
		{"an answer after the end", []Packet{{0, 1 * ms}, {1 * ms, 9 * ms}}, 5 * ms,
			Loss{Sent: 2, Gap: 8 * ms}},
	} {
		if got := Measure(tc.packets, tc.end); got != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

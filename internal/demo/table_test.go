// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"net/netip"
	"strings"
	"testing"
)

func text(tab table) string {
	bare := func(_ tone, s string) string { return s }
	return strings.Join(tab.lines(bare), "\n") + "\n"
}

func TestTablesLineUp(t *testing.T) {
	tab := table{head: []string{"pod", "time", "→ note"}, numbers: []int{1}}
	tab.row("client", "7 ms", "short")
	tab.row("", "1,234 ms", "")
	tab.row("active", "", "über")
	const want = `
pod         time  → note
client      7 ms  short
        1,234 ms
active            über
`
	if got := "\n" + text(tab); got != want {
		t.Errorf("got%swant%s", got, want)
	}
}

func TestColoursDoNotMoveColumns(t *testing.T) {
	tl := newTimeline(nil, true)
	tab := table{rows: [][]cell{{{"no answer", bad}, {"a", plain}}, {{"ok", good}, {"b", plain}}}}
	want := []string{"\x1b[31mno answer\x1b[0m  a", "\x1b[32mok\x1b[0m         b"}
	for i, got := range tab.lines(tl.paint) {
		if got != want[i] {
			t.Errorf("line %d is %q, want %q", i, got, want[i])
		}
	}
}

func TestFailoverTable(t *testing.T) {
	got := text(failoverTable([]Failover{
		{Name: "handed over", Calls: map[string]int{"A": 3, "B": 1}, Families: []Move{
			{Address: netip.MustParseAddr("10.0.1.200"), Sent: 1114, Lost: 108, Gap: Millis(109600 * ms / 1000), Acknowledged: Millis(102 * ms), EC2: Millis(100 * ms)},
			{Address: netip.MustParseAddr("2001:db8::1"), Sent: 1114, Lost: 0, Gap: Millis(3500 * ms / 1000), Acknowledged: Millis(1400 * ms), EC2: Millis(9 * ms)},
		}},
	}))
	const want = `
failover                   lost  longest gap  EC2's ok after  of that EC2  EC2 calls
handed over  IPv4  108 of 1,114       110 ms          102 ms       100 ms          4
             IPv6    0 of 1,114       3.5 ms        1,400 ms       9.0 ms
`
	if "\n"+got != want {
		t.Errorf("got\n%swant%s", got, want)
	}
}

func TestVoicesTableHasBeforeAndNow(t *testing.T) {
	p := pair{client, active, "net1"}
	before := []pairResult{{pair: p}}
	now := []pairResult{{pair: p, pings: [2]pinged{{ok: true, rtt: ms / 4}, {}}}}
	const want = `
from    to      over  IPv4 before      now  IPv6 before        now
client  active  net1  no answer    0.25 ms  no answer    no answer
`
	if got := "\n" + text(voicesTable(before, now)); got != want {
		t.Errorf("got%swant%s", got, want)
	}
}

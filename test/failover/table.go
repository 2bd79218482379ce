// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"text/tabwriter"
	"time"
)

// verdict is one word for the progress, or what went wrong.
func (r Result) verdict() string {
	switch {
	case !r.Right:
		return "WRONG: " + strings.Join(r.Wrong, "; ")
	case len(r.Missed) > 0:
		return "goal missed: " + strings.Join(r.Missed, "; ")
	}
	return "ok"
}

// printTable prints Markdown, as docs/failover.md has it.
func printTable(out io.Writer, rep report) {
	w := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "| Scenario\t| \t| Lost\t| Longest gap\t| keepalived\t| then\t| Goal\t| of that EC2\t| Taken\t| EC2 calls\t| In the end\t|")
	fmt.Fprintln(w, "|---\t|---\t|---:\t|---:\t|---:\t|---:\t|---\t|---:\t|---:\t|---\t|---\t|")
	for _, r := range rep.Results {
		end := r.Holder
		if !r.Right {
			end = "**wrong**"
		}
		for i, f := range r.Families {
			mostLost, mostTaken := r.goal.of(f)
			name, calls, holder := "`"+r.Name+"`", r.calls(), end
			if i > 0 {
				name, calls, holder = "", "", ""
			}
			goal, mark := "–", ""
			if mostLost != none {
				goal = fmt.Sprintf("≤ %d", mostLost)
				if f.LostAfter > mostLost {
					mark = " **missed**"
				}
			}
			taken := fmt.Sprint(f.Taken)
			if mostTaken != none && f.Taken > mostTaken {
				taken += fmt.Sprintf(" **> %d**", mostTaken)
			}
			fmt.Fprintf(w, "| %s\t| %s\t| %d\t| %s\t| %s\t| %d\t| %s%s\t| %s\t| %s\t| %s\t| %s\t|\n", name, family(f.Address, f.RouteTable),
				f.Lost, f.Gap, f.Keepalived, f.LostAfter, goal, mark, f.EC2, taken, calls, holder)
		}
	}
	w.Flush()
	fmt.Fprintf(out, "\n%s It took %v.\n", rep.Machine, time.Duration(rep.Took).Round(time.Second))
}

// family is "IPv4", or "IPv4 zone-b" where the address is a route.
func family(a netip.Addr, table string) string {
	name := "IPv6"
	if a.Is4() {
		name = "IPv4"
	}
	return strings.TrimSpace(name + " " + table)
}

// calls is "5: 1 Assign4, 2 Assign6 …, 1 refused".
func (r Result) calls() string {
	var parts []string
	for _, a := range []struct{ action, short string }{
		{"DescribeNetworkInterfaces", "D"}, {"AssignPrivateIpAddresses", "A4"}, {"UnassignPrivateIpAddresses", "U4"},
		{"AssignIpv6Addresses", "A6"}, {"UnassignIpv6Addresses", "U6"}, {"DescribeRouteTables", "DR"},
		{"ReplaceRoute", "RR"}, {"CreateRoute", "CR"}, {"DeleteRoute", "XR"}, {dryRuns, "P"},
	} {
		if n := r.Calls[a.action]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, a.short))
		}
	}
	text := fmt.Sprint(r.total())
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	if r.Refused > 0 {
		text += fmt.Sprintf(" (%d refused)", r.Refused)
	}
	return text
}

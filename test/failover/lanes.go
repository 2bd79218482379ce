// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// A row is a line of the picture.
type row struct {
	name string
	draw func(d *drawing, y int)
}

// rows are the lines of a scenario. Where the addresses are routes, each route
// table has lines of its own.
func (r Result) rows() (out []row) {
	add := func(name string, draw func(*drawing, int)) { out = append(out, row{name, draw}) }
	var tables []string
	for _, l := range r.Timeline.Lanes {
		name := family(l.Address, l.RouteTable)
		if l.RouteTable == "" {
			name += " packets"
		}
		add(name, func(d *drawing, y int) { d.packets(l, y) })
		if !slices.Contains(tables, l.RouteTable) {
			tables = append(tables, l.RouteTable)
		}
	}
	for _, pod := range []string{podA, podB} {
		add(pod+"'s kernel", func(d *drawing, y int) { d.kernel(r, pod, y) })
	}
	for _, t := range tables {
		name := "EC2 has it on"
		if t != "" {
			name = t + " leads to"
		}
		add(name, func(d *drawing, y int) { d.ec2(r, t, y) })
	}
	for _, pod := range []string{podA, podB} {
		for i, t := range tables {
			add(strings.TrimSpace(pod+"'s calls "+t), func(d *drawing, y int) { d.calls(r, pod, t, i == 0, y) })
		}
	}
	return out
}

func (d *drawing) scenario(r Result) {
	d.to = r.Timeline.shown()
	d.from = max(r.Timeline.From, -d.to/8)
	d.y += 14
	d.text(20, d.y, "name", r.Name)
	d.text(20+9*len(r.Name)+12, d.y, "", r.What)
	var lost []string
	for _, f := range r.Families {
		lost = append(lost, fmt.Sprintf("%d %s", f.Lost, family(f.Address, f.RouteTable)))
	}
	sum := fmt.Sprintf("lost: %s; %d EC2 calls", strings.Join(lost, ", "), r.total())
	class := "small"
	if v := r.verdict(); v != "ok" {
		before, _, _ := strings.Cut(v, ":")
		class, sum = "bad", sum+"; "+before
	}
	d.printf(`<text x="%d" y="%d" class="%s" text-anchor="end">%s</text>`, rightEdge, d.y, class, html.EscapeString(sum))
	d.y += titleSpace - 14
	top := d.y
	for _, row := range r.rows() {
		d.printf(`<rect class="row" x="%d" y="%d" width="%d" height="%d"/>`, leftEdge, d.y, rightEdge-leftEdge, barHeight)
		d.text(20, d.y+10, "small", row.name)
		row.draw(d, d.y)
		d.y += rowHeight
	}
	d.marks(r.Timeline.Marks, top)
	d.axis()
	d.y += axisSpace
}

func (d *drawing) packets(l Lanes, y int) {
	d.bar("ok", Span{d.from, d.to}, y, barHeight, "answered")
	for _, s := range l.Lost {
		d.bar("lost", s, y, barHeight, fmt.Sprintf("lost: %s to %s", s[0], s[1]))
	}
}

func (d *drawing) kernel(r Result, pod string, y int) {
	for _, l := range r.Timeline.Lanes {
		for _, s := range l.InKernel[pod] {
			d.bar(pod, s, y+lower(l.Address.Is6()), 5, fmt.Sprintf("%s on pod %s: %s to %s", l.Address, pod, s[0], s[1]))
		}
	}
}

func (d *drawing) ec2(r Result, table string, y int) {
	for _, l := range r.Timeline.Lanes {
		if l.RouteTable != table {
			continue
		}
		for _, pod := range []string{podA, podB} {
			for _, s := range l.EC2[pod] {
				d.bar(pod, s, y+lower(l.Address.Is6()), 5, fmt.Sprintf("EC2 has %s on the ENI of pod %s: %s to %s", l.Address, pod, s[0], s[1]))
			}
		}
	}
}

// lower is how much deeper IPv6 is drawn in a row.
func lower(ipv6 bool) int {
	if ipv6 {
		return 6
	}
	return 0
}

// calls draws a pod's calls that change a route table; others too, where it is
// the first.
func (d *drawing) calls(r Result, pod, table string, first bool, y int) {
	for _, c := range r.Timeline.Calls {
		if c.Pod != pod || c.RouteTable != table && (c.RouteTable != "" || !first) {
			continue
		}
		class, at, height := "assign", y, 5
		switch {
		case strings.HasPrefix(c.Action, "Describe"), c.DryRun:
			class, at, height = "describe", y+3, 5
		case strings.HasPrefix(c.Action, "Unassign"), strings.HasPrefix(c.Action, "Delete"):
			class = "unassign"
		}
		if c.ipv6() {
			at = y + lower(true)
		}
		if c.Code != "" && c.Code != model.CodeDryRun {
			class = "refused"
		}
		d.bar(class, Span{c.At, c.At + c.Took}, at, height,
			fmt.Sprintf("%s %s %s: %s, took %s", c.Action, strings.Join(c.Addresses, " "), c.Code, c.At, c.Took))
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"html"
	"strings"
)

// rows are the lanes of a scenario.
var rows = []struct {
	name string
	draw func(*drawing, Result, int)
}{
	{"IPv4 packets", func(d *drawing, r Result, y int) { d.packets(r.Timeline.Lanes[0], y) }},
	{"IPv6 packets", func(d *drawing, r Result, y int) { d.packets(r.Timeline.Lanes[1], y) }},
	{"a's kernel", func(d *drawing, r Result, y int) { d.kernel(r, podA, y) }},
	{"b's kernel", func(d *drawing, r Result, y int) { d.kernel(r, podB, y) }},
	{"EC2 has it on", func(d *drawing, r Result, y int) { d.ec2(r, y) }},
	{"a's calls", func(d *drawing, r Result, y int) { d.calls(r, podA, y) }},
	{"b's calls", func(d *drawing, r Result, y int) { d.calls(r, podB, y) }},
}

func (d *drawing) scenario(r Result) {
	d.to = r.Timeline.shown()
	d.from = max(r.Timeline.From, -d.to/8)
	d.y += 14
	d.text(20, d.y, "name", r.Name)
	d.text(20+9*len(r.Name)+12, d.y, "", r.What)
	sum := fmt.Sprintf("lost: %d IPv4, %d IPv6; %d EC2 calls", r.Families[0].Lost, r.Families[1].Lost, r.total())
	class := "small"
	if v := r.verdict(); v != "ok" {
		before, _, _ := strings.Cut(v, ":")
		class, sum = "bad", sum+"; "+before
	}
	d.printf(`<text x="%d" y="%d" class="%s" text-anchor="end">%s</text>`, rightEdge, d.y, class, html.EscapeString(sum))
	d.y += titleSpace - 14
	top := d.y
	for _, row := range rows {
		d.printf(`<rect class="row" x="%d" y="%d" width="%d" height="%d"/>`, leftEdge, d.y, rightEdge-leftEdge, barHeight)
		d.text(20, d.y+10, "small", row.name)
		row.draw(d, r, d.y)
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
	for i, l := range r.Timeline.Lanes {
		for _, s := range l.InKernel[pod] {
			d.bar(pod, s, y+6*i, 5, fmt.Sprintf("%s on pod %s: %s to %s", l.Address, pod, s[0], s[1]))
		}
	}
}

func (d *drawing) ec2(r Result, y int) {
	for i, l := range r.Timeline.Lanes {
		for _, pod := range []string{podA, podB} {
			for _, s := range l.EC2[pod] {
				d.bar(pod, s, y+6*i, 5, fmt.Sprintf("EC2 has %s on the ENI of pod %s: %s to %s", l.Address, pod, s[0], s[1]))
			}
		}
	}
}

func (d *drawing) calls(r Result, pod string, y int) {
	for _, c := range r.Timeline.Calls {
		if c.Pod != pod {
			continue
		}
		class, at, height := "assign", y, 5
		switch {
		case strings.HasPrefix(c.Action, "Describe"):
			class, at, height = "describe", y+3, 5
		case strings.HasPrefix(c.Action, "Unassign"), strings.HasPrefix(c.Action, "Delete"):
			class = "unassign"
		}
		if c.ipv6() {
			at = y + 6
		}
		if c.Code != "" {
			class = "refused"
		}
		d.bar(class, Span{c.At, c.At + c.Took}, at, height,
			fmt.Sprintf("%s %s %s: %s, took %s", c.Action, strings.Join(c.Addresses, " "), c.Code, c.At, c.Took))
	}
}

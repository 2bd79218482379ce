// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"time"
)

// The measures of the picture, in pixels.
const (
	pageWidth  = 1280
	leftEdge   = 110 // where the time begins
	rightEdge  = pageWidth - 20
	headHeight = 112
	rowHeight  = 15
	barHeight  = 11
	titleSpace = 38 // above a scenario's rows: its name, and the marks' texts
	axisSpace  = 34 // below them
	markSpace  = 7  // pixels that a letter of a mark's text takes
)

const style = `
text { font: 12px sans-serif; fill: #222 }
.title { font-size: 20px; font-weight: bold } .name { font: bold 14px monospace } .small { font-size: 11px; fill: #555 } .bad { fill: #b3261e; font-weight: bold }
.row { fill: #f2f3f5 } .ok { fill: #8fce9b } .lost { fill: #d93025 }
.a { fill: #3367d6 } .b { fill: #f29900 }
.assign { fill: #1b1b1b } .unassign { fill: #8e44ad } .describe { fill: #9aa0a6 } .refused { fill: #fff; stroke: #d93025; stroke-width: 1.5 }
.mark { stroke: #222; stroke-dasharray: 3 2 } .tick { stroke: #bbb }`

// A drawing is an SVG file in the making.
type drawing struct {
	bytes.Buffer
	from, to Millis // of the scenario that is being drawn
	y        int
}

// picture draws the timelines, one below the other, each with its own scale.
func picture(rep report) []byte {
	d := &drawing{y: headHeight}
	height := headHeight + 20
	for _, r := range rep.Results {
		height += titleSpace + len(r.rows())*rowHeight + axisSpace
	}
	d.printf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d">`, pageWidth, height, pageWidth, height)
	d.printf("<style>%s\n</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>", style)
	d.legend(rep.Machine)
	for _, r := range rep.Results {
		d.scenario(r)
	}
	d.printf("</svg>")
	return d.Bytes()
}

func (d *drawing) printf(format string, a ...any) { fmt.Fprintf(d, format+"\n", a...) }

func (d *drawing) text(x, y int, class, text string) {
	d.printf(`<text x="%d" y="%d" class="%s">%s</text>`, x, y, class, html.EscapeString(text))
}

// bar draws a span, at least a pixel wide, with a text for those who point at it.
func (d *drawing) bar(class string, s Span, y, height int, hint string) {
	from, to := max(s[0], d.from), min(s[1], d.to)
	if from >= to {
		return
	}
	x := d.x(from)
	d.printf(`<rect class="%s" x="%.1f" y="%d" width="%.1f" height="%d"><title>%s</title></rect>`,
		class, x, y, max(1, d.x(to)-x), height, html.EscapeString(hint))
}

func (d *drawing) x(at Millis) float64 {
	return leftEdge + float64(at-d.from)/float64(d.to-d.from)*(rightEdge-leftEdge)
}

func (d *drawing) legend(machine string) {
	d.text(20, 30, "title", "make failover: a pair with keepalived and the registrar, and what its clients see")
	d.text(20, 48, "small", machine+" Each scenario has its own scale, from the moment of the trouble. Point at a bar for its figures.")
	x := 20
	for _, l := range []struct{ class, text string }{
		{"ok", "packets answered, 1,000 a second"}, {"lost", "packets lost"},
		{"a", "pod a has the address: in its kernel, in EC2"}, {"b", "pod b has it"},
	} {
		x = d.key(x, 62, l.class, l.text)
	}
	x = 20
	for _, l := range []struct{ class, text string }{
		{"assign", "EC2 call: assign, replace or create a route"}, {"unassign", "unassign, delete a route"}, {"describe", "describe, dry run"},
		{"refused", "refused, throttled or dropped"},
	} {
		x = d.key(x, 80, l.class, l.text)
	}
	d.text(x, 90, "small", "Rows of addresses and calls: IPv4 above, IPv6 below.")
}

// key draws an entry of the legend and returns where the next one begins.
func (d *drawing) key(x, y int, class, text string) int {
	d.printf(`<rect class="%s" x="%d" y="%d" width="22" height="%d"/>`, class, x, y, barHeight)
	d.text(x+28, y+10, "", text)
	return x + 28 + len(text)*7 + 18
}

// marks draws what the scenario did; texts that would cover others are left out.
func (d *drawing) marks(marks []Mark, top int) {
	free := 0.0
	for _, m := range marks {
		x := d.x(m.At)
		text := m.What
		if m.Pod != "" {
			text = m.Pod + ": " + text
		}
		d.printf(`<line class="mark" x1="%.1f" y1="%d" x2="%.1f" y2="%d"><title>%s</title></line>`, x, top-4, x, d.y, html.EscapeString(text))
		width := float64(markSpace * len(text))
		left := min(x, rightEdge-width)
		if left < free {
			continue
		}
		d.text(int(left), top-6, "small", text)
		free = left + width
	}
}

// axis draws round times below the rows.
func (d *drawing) axis() {
	step := round(time.Duration(d.to-d.from) / 12)
	for at := time.Duration(0); Millis(at) <= d.to; at += step {
		x := d.x(Millis(at))
		d.printf(`<line class="tick" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`, x, d.y, x, d.y+4)
		d.printf(`<text x="%.1f" y="%d" class="small" text-anchor="middle">%v</text>`, x, d.y+15, at)
	}
}

// round is the next greater of 1, 2, 5, 10, 20 … ms.
func round(d time.Duration) time.Duration {
	power := time.Duration(math.Pow10(int(math.Log10(max(1, float64(d/time.Millisecond)))))) * time.Millisecond
	for _, f := range []time.Duration{1, 2, 5} {
		if f*power >= d {
			return f * power
		}
	}
	return 10 * power
}

// shown is how far the timeline is worth showing: until a little after the last
// thing that happened.
func (t Timeline) shown() Millis {
	last := Millis(0)
	for _, m := range t.Marks {
		last = max(last, m.At)
	}
	for _, c := range t.Calls {
		last = max(last, c.At+c.Took)
	}
	for _, l := range t.Lanes {
		for _, s := range l.Lost {
			last = max(last, s[1])
		}
		for _, all := range l.InKernel {
			for _, s := range all {
				last = max(last, s[0])
			}
		}
	}
	return min(t.To, last+last/10+Millis(100*time.Millisecond))
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A cell is one field of a table.
type cell struct {
	text string
	tone tone
}

// A table is rows of cells below a head.
type table struct {
	head []string
	rows [][]cell
	// numbers are the columns that stand at their right edge.
	numbers []int
}

// row adds a row of plain cells.
func (t *table) row(texts ...string) {
	var r []cell
	for _, s := range texts {
		r = append(r, cell{text: s})
	}
	t.rows = append(t.rows, r)
}

// lines are the table as text; paint gives a piece its colour.
func (t table) lines(paint func(tone, string) string) []string {
	all := t.rows
	if len(t.head) > 0 {
		var head []cell
		for _, h := range t.head {
			head = append(head, cell{h, faint})
		}
		all = append([][]cell{head}, t.rows...)
	}
	var widths []int
	for _, r := range all {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c.text))
		}
	}
	var out []string
	for _, r := range all {
		var b strings.Builder
		gap := 0 // spaces that are owed; none at the end of a line
		for i, c := range r {
			pad := widths[i] - utf8.RuneCountInString(c.text)
			if slices.Contains(t.numbers, i) {
				gap, pad = gap+pad, 0
			}
			if c.text != "" {
				b.WriteString(strings.Repeat(" ", gap))
				b.WriteString(paint(c.tone, c.text))
				gap = 0
			}
			gap += pad + len("  ")
		}
		out = append(out, b.String())
	}
	return out
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// width is what every line fits into.
const width = 100

// margin is the left column, where the elapsed time stands.
const margin = 12

// A tone says how a piece of text is meant.
type tone int

const (
	plain tone = iota
	strong
	faint
	good
	bad
)

// A timeline prints what happens, with the time since the start on the left.
// It is used by one goroutine.
type timeline struct {
	w     io.Writer
	color bool
	began time.Time
	blank bool // the last line was empty
}

func newTimeline(w io.Writer, color bool) *timeline {
	return &timeline{w: w, color: color, began: time.Now()}
}

// paint gives text a colour where there are colours.
func (t *timeline) paint(n tone, text string) string {
	code := map[tone]string{strong: "1", faint: "2", good: "32", bad: "31"}[n]
	if !t.color || code == "" || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// out prints a line. That nobody reads any more is no reason to stop halfway.
func (t *timeline) out(line string) {
	t.blank = line == ""
	_, _ = fmt.Fprintln(t.w, line)
}

// gap leaves one line empty.
func (t *timeline) gap() {
	if !t.blank {
		t.out("")
	}
}

func (t *timeline) stamped(n tone, text string) {
	left := t.paint(faint, fmt.Sprintf("%*s ms ", margin-len(" ms "), thousands(int(time.Since(t.began).Milliseconds()))))
	for _, l := range wrap(text, width-margin) {
		t.out(left + t.paint(n, l))
		left = strings.Repeat(" ", margin)
	}
}

// chapter begins a part of the story.
func (t *timeline) chapter(format string, a ...any) {
	t.gap()
	t.stamped(strong, fmt.Sprintf(format, a...))
}

// say tells one thing that happens now.
func (t *timeline) say(format string, a ...any) { t.stamped(plain, fmt.Sprintf(format, a...)) }

// note adds to what was said.
func (t *timeline) note(format string, a ...any) {
	t.block(wrap(fmt.Sprintf(format, a...), width-margin))
}

// block adds lines as they are.
func (t *timeline) block(lines []string) {
	for _, l := range lines {
		if l != "" {
			l = strings.Repeat(" ", margin) + l
		}
		t.out(l)
	}
}

// verdict tells how a check went.
func (t *timeline) verdict(ok bool, text string) {
	if ok {
		t.stamped(good, "✓ "+text)
		return
	}
	t.stamped(bad, "✗ "+text)
}

// table adds a table, with an empty line before and after.
func (t *timeline) table(tab table) {
	t.gap()
	t.block(tab.lines(t.paint))
	t.gap()
}

// thousands writes 12345 as 12,345.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// millis writes a duration as milliseconds: whole ones from 10 on, as more digits
// would be noise.
func millis(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms < 1:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	}
	return thousands(int(ms+0.5)) + " ms"
}

// wrap breaks text into lines of at most n characters, at spaces where it can.
// Line breaks in the text stay.
func wrap(text string, n int) (lines []string) {
	for line := range strings.SplitSeq(text, "\n") {
		rest := []rune(line)
		for len(rest) > n {
			at := n
			for at > 0 && rest[at] != ' ' {
				at--
			}
			if at == 0 {
				lines, rest = append(lines, string(rest[:n])), rest[n:]
				continue
			}
			lines, rest = append(lines, string(rest[:at])), rest[at+1:]
		}
		lines = append(lines, string(rest))
	}
	return lines
}

// linesOf are the lines of a program's output.
func linesOf(text string) []string { return strings.Split(strings.TrimRight(text, "\n"), "\n") }

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestNumbersForPeople(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 12345678: "12,345,678"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0.00 ms", 250 * time.Microsecond: "0.25 ms", 2345 * time.Microsecond: "2.3 ms",
		99600 * time.Microsecond: "100 ms", 1234 * time.Millisecond: "1,234 ms",
	} {
		if got := millis(d); got != want {
			t.Errorf("millis(%v) = %s, want %s", d, got, want)
		}
	}
}

func TestWrapKeepsWordsAndLineBreaks(t *testing.T) {
	for _, tc := range []struct {
		text string
		want []string
	}{
		{"", []string{""}},
		{"one two", []string{"one two"}},
		{"one two three", []string{"one two", "three"}},
		{"exactly 9\nand more", []string{"exactly 9", "and more"}},
		{"ööööööööö x", []string{"ööööööööö", "x"}},
		{"unbreakable", []string{"unbreakab", "le"}},
	} {
		if got := wrap(tc.text, 9); !slices.Equal(got, tc.want) {
			t.Errorf("wrap(%q) = %q, want %q", tc.text, got, tc.want)
		}
	}
}

func TestTimelineHasTheTimeOnTheLeftAndNoColourUnasked(t *testing.T) {
	var out bytes.Buffer
	tl := newTimeline(&out, false)
	tl.began = tl.began.Add(-1234 * time.Millisecond)
	tl.chapter("1. A chapter")
	tl.verdict(false, strings.Repeat("long ", 30))
	tl.note("note")
	lines := linesOf(out.String())
	if len(lines) != 5 || lines[0] != "" || !strings.HasPrefix(lines[1], "   1,23") || !strings.HasPrefix(lines[2], "   1,23") ||
		!strings.HasPrefix(lines[3], strings.Repeat(" ", margin)+"long") || strings.Contains(out.String(), "\x1b") {
		t.Errorf("the timeline is\n%s", out.String())
	}
	for _, l := range lines {
		if utf8.RuneCountInString(l) > width {
			t.Errorf("too long: %s", l)
		}
	}
}

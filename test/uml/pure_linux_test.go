// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package uml

import (
	"slices"
	"strings"
	"testing"
)

func TestModuleOrder(t *testing.T) {
	const dependencies = `kernel/lib/crc-ccitt.ko:
kernel/net/ipv6/ipv6.ko: kernel/lib/crc-ccitt.ko
kernel/drivers/net/ipvlan/ipvlan.ko: kernel/net/ipv6/ipv6.ko kernel/lib/crc-ccitt.ko
kernel/net/ipv4/ip_gre.ko: kernel/lib/crc-ccitt.ko
`
	for _, c := range []struct{ names, want, err string }{
		{"", "", ""},
		{"crc-ccitt", "crc-ccitt.ko", ""},
		{"crc_ccitt ip-gre", "crc-ccitt.ko ip_gre.ko", ""},
		{"ipvlan", "crc-ccitt.ko ipv6.ko ipvlan.ko", ""},
		{"ipv6 ipvlan ipv6", "crc-ccitt.ko ipv6.ko ipvlan.ko", ""},
		{"ipvlan macvlan", "", "no kernel module macvlan"},
	} {
		t.Run(c.names, func(t *testing.T) {
			got, err := moduleOrder(strings.NewReader(dependencies), strings.Fields(c.names))
			for i := range got {
				got[i] = got[i][strings.LastIndex(got[i], "/")+1:]
			}
			if !slices.Equal(got, strings.Fields(c.want)) || (err == nil) != (c.err == "") || (err != nil && err.Error() != c.err) {
				t.Errorf("got %v, %v, want %s %s", got, err, c.want, c.err)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name   string
		code   int
		output string
		want   string
	}{
		{"one passed", 0, "=== RUN TestA\n--- PASS: TestA (0.00s)\nPASS\n", ""},
		{"a subtest alone does not count", 0, "    --- PASS: TestA/b (0.00s)\nPASS\n", "none ran"},
		{"nothing", 0, "testing: warning: no tests to run\nPASS\n", "none ran"},
		{"failed", 1, "--- FAIL: TestA (0.00s)\nFAIL\n", "exit code 1"},
		{"crashed after a pass", 2, "--- PASS: TestA (0.00s)\npanic: x\n", "exit code 2"},
		{"skipped", 0, "--- PASS: TestA (0.00s)\n--- SKIP: TestB (0.00s)\nPASS\n", "1 skipped, TestB first"},
		{"subtest skipped", 0, "--- PASS: TestA (0.00s)\n    --- SKIP: TestA/b (0.00s)\nPASS\n", "1 skipped, TestA/b first"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := judge(c.code, []byte(c.output))
			if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
				t.Errorf("judge gives %v, want %q", err, c.want)
			}
		})
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	kept := tail{limit: 4}
	for _, s := range []string{"ab", "cde", "", "fghijk"} {
		if n, err := kept.Write([]byte(s)); n != len(s) || err != nil {
			t.Errorf("Write(%q) = %d, %v", s, n, err)
		}
	}
	if got := kept.String(); got != "hijk" {
		t.Errorf("kept %q, want hijk", got)
	}
}

func TestPrefixerMarksEachLineOnce(t *testing.T) {
	var got strings.Builder
	p := prefixer{to: &got, prefix: "> "}
	for _, s := range []string{"a", "b\nc\n", "", "\n", "d"} {
		if n, err := p.Write([]byte(s)); n != len(s) || err != nil {
			t.Errorf("Write(%q) = %d, %v", s, n, err)
		}
	}
	if want := "> ab\n> c\n> \n> d"; got.String() != want {
		t.Errorf("got %q, want %q", got.String(), want)
	}
}

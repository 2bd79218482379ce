// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"strings"
	"testing"
)

// TestBadNetworksAreTold: each is refused with words that lead to a good one.
func TestBadNetworksAreTold(t *testing.T) {
	for _, tt := range []struct{ text, says string }{
		{`[null]`, "network 1 of the list is null"},
		{`[{"name":"n3"}, null ]`, "network 2 of the list is null"},
		{`[{}]`, "network 1 of the list has no name"},
		{`[{"name":`, "unexpected end"},
		{`[{"name":"upf/n3"}]`, `network 1 of the list has the name "upf/n3"`},
		{`[{"name":"upf/n3"}]`, `"namespace"`},
		{`[{"name":"n3"},{"name":"N4"}]`, `network 2 of the list has the name "N4"`},
		{`[{"name":"n3","namespace":"a.b"}]`, `network 1 of the list has the namespace "a.b"`},
		{`[{"name":"n3","namespace":"../x"}]`, `has the namespace "../x"`},
		{strings.Repeat("n", 254), "has the name"},
		{strings.Repeat("n", 64) + "/n3", "has the namespace"},
	} {
		got, err := ParseNetworks(tt.text, "upf")
		if err == nil || got != nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%.40s: %v, %v, want an error that says %q", tt.text, got, err, tt.says)
		}
	}
}

// TestNamesThatKubernetesTakesAreRead.
func TestNamesThatKubernetesTakesAreRead(t *testing.T) {
	for _, text := range []string{"n3", "ns/n-3@net7", `[{"name":"n3.example","namespace":"ns"}]`, strings.Repeat("n", 253)} {
		if got, err := ParseNetworks(text, "upf"); err != nil || len(got) != 1 {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

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
	} {
		got, err := ParseNetworks(tt.text, "upf")
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%.40s: %v, %v, want an error that says %q", tt.text, got, err, tt.says)
		}
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"net/netip"
	"testing"
)

func TestJoin(t *testing.T) {
	for _, test := range []struct {
		name     string
		prefixes []string
		want     string // "" for an error
	}{
		{"four side by side", []string{"10.0.0.64/28", "10.0.0.96/28", "10.0.0.80/28", "10.0.0.112/28"}, "10.0.0.64/26"},
		{"one", []string{"10.0.0.64/28"}, "10.0.0.64/28"},
		{"none", nil, ""},
		{"not aligned", []string{"10.0.0.80/28", "10.0.0.96/28"}, ""},
		{"a gap", []string{"10.0.0.64/28", "10.0.0.80/28", "10.0.0.112/28"}, ""},
		{"one twice", []string{"10.0.0.64/28", "10.0.0.64/28"}, ""},
		{"of two lengths", []string{"10.0.0.64/28", "10.0.0.80/29"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var prefixes []netip.Prefix
			for _, p := range test.prefixes {
				prefixes = append(prefixes, netip.MustParsePrefix(p))
			}
			got, err := join(prefixes)
			if (err != nil) != (test.want == "") || err == nil && got.String() != test.want {
				t.Errorf("join(%v) = %v, %v, want %q", prefixes, got, err, test.want)
			}
		})
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import "testing"

func TestHasNative(t *testing.T) {
	for _, tt := range []struct {
		major, minor string
		want         bool
	}{{"1", "28+", false}, {"1", "28", false}, {"1", "29", true}, {"1", "33+", true}, {"2", "0", true}} {
		if got, err := hasNative(tt.major, tt.minor); err != nil || got != tt.want {
			t.Errorf("%s.%s: %v, %v", tt.major, tt.minor, got, err)
		}
	}
	for _, bad := range [][2]string{{"", ""}, {"1", "x"}, {"v1", "30"}} {
		if _, err := hasNative(bad[0], bad[1]); err == nil {
			t.Errorf("%v is a version", bad)
		}
	}
}

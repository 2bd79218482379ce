// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"strings"
	"testing"
)

// TestQuantitiesOfAnySizeAreCheap: to compare 1e2000000000 with anything Kubernetes'
// library would compute ten to the power of that.
func TestQuantitiesOfAnySizeAreCheap(t *testing.T) {
	for _, text := range []string{
		"1e19", "1E19", "1e-19", "-1e19", "1.5e+19", strings.Repeat("1", 33), "0." + strings.Repeat("1", 31),
		"1e2000000000", "1E-2000000000", "1e4294967297", "1e99999999999999999999",
	} {
		for _, name := range []string{"cpu", "memory"} {
			if _, err := ParseResources(name + "=" + text); err == nil || !strings.Contains(err.Error(), "no quantity") {
				t.Errorf("%s=%s: %v", name, text, err)
			}
		}
		if a := amount(text); !a.equal(a) || a.equal("1") || amount("1").equal(a) || !a.zero() {
			t.Errorf("the amount %s can be read", text)
		}
	}
}

// TestOrdinaryQuantitiesAreRead in every form that Kubernetes has.
func TestOrdinaryQuantitiesAreRead(t *testing.T) {
	for _, text := range []string{"10m", "1", "0.5", "1e3", "1E3", "1e+3", "5e-1", "1e18"} {
		if _, err := ParseResources("cpu=" + text); err != nil {
			t.Error(err)
		}
	}
	for _, text := range []string{"64Mi", "67108864", "1e8", "1E", "1Ei", "0.5Gi", "100000k", "1.5e9"} {
		if _, err := ParseResources("memory=" + text); err != nil {
			t.Error(err)
		}
	}
	for _, pair := range [][2]amount{{"1e3", "1k"}, {"0.5", "500m"}, {"1Ei", "1024Pi"}, {"1e-3", "1m"}} {
		if !pair[0].equal(pair[1]) || pair[0].zero() {
			t.Errorf("%s is not %s", pair[0], pair[1])
		}
	}
}

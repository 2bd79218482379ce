// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package podinfo

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseFloatingIPs(t *testing.T) {
	got, err := ParseFloatingIPs(List("10.0.1.50, fd00:1::/120,192.0.2.10/32"))
	if want := "[10.0.1.50/32 fd00:1::/120 192.0.2.10/32]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("%v, %v; want %s", got, err, want)
	}
	for _, bad := range []string{"10.0.1", "10.0.1.50/24", "fe80::1%net1", "::ffff:10.0.1.50", "10.0.1.50,"} {
		if got, err := ParseFloatingIPs(List(bad)); err == nil {
			t.Errorf("%q gave %v", bad, got)
		} else if !strings.Contains(err.Error(), "10.0.1") && !strings.Contains(err.Error(), "fe80") && !strings.Contains(err.Error(), `""`) {
			t.Errorf("%q: the error does not name the fault: %v", bad, err)
		}
	}
	if got := List(" "); got != nil {
		t.Errorf("an empty value gave %q", got)
	}
}

func TestParseRouteTables(t *testing.T) {
	if got, err := ParseRouteTables(List("rtb-1, rtb-0123456789abcdef0")); err != nil || len(got) != 2 || got[1] != "rtb-0123456789abcdef0" {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"rtb-", "subnet-1", "rtb-1,"} {
		if got, err := ParseRouteTables(List(bad)); err == nil {
			t.Errorf("%q gave %q", bad, got)
		}
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package registrar_test

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// TestToggledAddressStopsItsClaim: an IPv6 address comes, is held elsewhere, and
// goes while the claim is under way: it is not taken from its holder any more.
// Where another address of the call is still wanted, the claim goes on.
func TestToggledAddressStopsItsClaim(t *testing.T) {
	for _, other := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, history{latency: time.Second, assume: make([]bool, 6), keeps: -1})
			defer w.close()
			time.Sleep(time.Minute)
			a, b := w.pods[0], w.pods[1]
			b.kernel.add(floating[2])
			b.kernel.add(floating[3])
			time.Sleep(time.Minute)
			w.vpc.ResetCalls()
			a.kernel.change(func(s []netip.Addr) []netip.Addr { return append(s, floating[2], floating[3]) })
			time.Sleep(500 * time.Millisecond)
			a.kernel.remove(floating[2])
			if !other {
				a.kernel.remove(floating[3])
			}
			time.Sleep(9 * time.Second)
			taken := 0
			for _, c := range w.vpc.Calls("UnassignIpv6Addresses") {
				if c.AccessKey == "pod-a" && c.ENI != a.eni.ID && c.Effective {
					taken++
				}
			}
			if other != (taken > 0) {
				t.Errorf("one is still wanted: %t; %d unassigns by a\n%s", other, taken, w.tell())
			}
			if e, _ := w.vpc.Owner(floating[2]); !other && e.Name != "w2-sig" {
				t.Errorf("%s is on %q\n%s", floating[2], e.Name, w.tell())
			}
		})
	}
}

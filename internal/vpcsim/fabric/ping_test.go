// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/traffic"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
)

const (
	// patience is how long a ping may need that must succeed; it is retried.
	patience = 5 * time.Second
	// silence is how long a ping is waited for that must fail.
	silence = 300 * time.Millisecond
)

// pings counts them: each has an id of its own, since an answer may be late.
var pings atomic.Uint32

func ping(t testing.TB, from *netspace.Namespace, src, dst string, within time.Duration) (time.Duration, bool) {
	t.Helper()
	rtt, ok, err := traffic.Ping(t.Context(), from, netip.MustParseAddr(src), netip.MustParseAddr(dst), uint16(pings.Add(1)), within)
	if err != nil {
		t.Fatal(err)
	}
	return rtt, ok
}

func wantPing(t testing.TB, from *netspace.Namespace, src, dst string) {
	t.Helper()
	if rtt, ok := ping(t, from, src, dst, patience); !ok {
		t.Errorf("ping %s → %s: no answer", src, dst)
	} else {
		t.Logf("ping %s → %s: %v", src, dst, rtt)
	}
}

func wantSilence(t testing.TB, from *netspace.Namespace, src, dst string) {
	t.Helper()
	if rtt, ok := ping(t, from, src, dst, silence); ok {
		t.Errorf("ping %s → %s answered after %v, want silence", src, dst, rtt)
	}
}

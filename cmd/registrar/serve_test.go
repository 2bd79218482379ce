// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net/netip"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
)

// TestConnectionsAreOpenedForAFloatingIPThatAnAnnotationNames, also later.
func TestConnectionsAreOpenedForAFloatingIPThatAnAnnotationNames(t *testing.T) {
	named := ledger.Floating{Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.1.200/32")}}
	told := func(floating <-chan struct{}) bool {
		select {
		case <-floating:
			return true
		default:
			return false
		}
	}
	at := registrar.Options{Ledger: ledger.Config{Floating: named}}
	if !told(floats(&at)) {
		t.Error("not told of those at start")
	}
	later := registrar.Options{Follow: func(_ context.Context, emit func(registrar.Pod)) error {
		for _, f := range []ledger.Floating{{}, named, named, {}} {
			emit(registrar.Pod{Floating: f})
		}
		return nil
	}}
	floating, emitted := floats(&later), 0
	if told(floating) {
		t.Error("told of floating IPs where there are none")
	}
	err := later.Follow(t.Context(), func(p registrar.Pod) {
		emitted++
		if got, want := told(floating), emitted > 1; got != want {
			t.Errorf("after %d: told %v, want %v", emitted, got, want)
		}
	})
	if err != nil || emitted != 4 {
		t.Errorf("%d emitted, want 4: %v", emitted, err)
	}
}

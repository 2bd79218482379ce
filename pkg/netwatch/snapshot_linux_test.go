// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"reflect"
	"testing"
	"time"
)

func TestSnapshotEqual(t *testing.T) {
	make := func() Snapshot {
		return Snapshot{Interfaces: []Interface{
			{Name: "lo", Index: 1, Loopback: true, Up: true},
			{Name: "net1", Index: 2, MAC: "02:00:00:00:00:01", Kind: "ipvlan", Up: true, Prefixes: prefixes("10.0.0.1/24")},
		}}
	}
	same := make()
	same.Noticed = time.Now()
	same.Interfaces[0].Prefixes = prefixes()
	if !make().Equal(same) {
		t.Error("when it was noticed makes a difference, or an empty list to none")
	}
	for name, change := range map[string]func(*Snapshot){
		"Name":      func(s *Snapshot) { s.Interfaces[1].Name = "n3" },
		"Index":     func(s *Snapshot) { s.Interfaces[1].Index = 3 },
		"MAC":       func(s *Snapshot) { s.Interfaces[1].MAC = "02:00:00:00:00:02" },
		"Kind":      func(s *Snapshot) { s.Interfaces[1].Kind = "veth" },
		"Loopback":  func(s *Snapshot) { s.Interfaces[1].Loopback = true },
		"Up":        func(s *Snapshot) { s.Interfaces[1].Up = false },
		"Prefixes":  func(s *Snapshot) { s.Interfaces[1].Prefixes = prefixes("10.0.0.1/16") },
		"Tentative": func(s *Snapshot) { s.Interfaces[1].Tentative = prefixes("2001:db8::1/64") },
		"fewer":     func(s *Snapshot) { s.Interfaces = s.Interfaces[:1] },
		"none":      func(s *Snapshot) { s.Interfaces = nil },
	} {
		t.Run(name, func(t *testing.T) {
			other := make()
			change(&other)
			if make().Equal(other) || other.Equal(make()) {
				t.Errorf("%+v equals %+v", make(), other)
			}
		})
	}
}

// A new field must be compared too.
func TestSnapshotEqualKnowsAllFields(t *testing.T) {
	if got := reflect.TypeFor[Interface]().NumField(); got != 8 {
		t.Errorf("Interface has %d fields: does Equal compare the new one? Then say so here", got)
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package uml

import "testing"

func TestIpvlan(t *testing.T) {
	Require(t).Test(t, Suite{Package: "test/uml/ipvlan"})
}

// The watcher's own tests, on a kernel of another make.
func TestNetwatch(t *testing.T) {
	Require(t).Test(t, Suite{Package: "pkg/netwatch"})
}

// Siblings' words, on a kernel of another make.
func TestSibling(t *testing.T) {
	Require(t).Test(t, Suite{Package: "internal/registrar/sibling"})
}

// The embedded VPC's stand-in for ipvlan is told by what ipvlan does.
func TestFabricOnIpvlan(t *testing.T) {
	Require(t).Test(t, Suite{
		Package: "internal/vpcsim/fabric",
		Args:    []string{"-test.run=^TestSiblings"},
	})
}

// The built registrar in pods of the embedded VPC whose Multus interfaces are
// real ipvlan: match by MAC, init, sidecar, failover.
func TestRegistrarOnIpvlan(t *testing.T) {
	Require(t).Test(t, Suite{
		Package:  "test/integration",
		Programs: []string{"cmd/registrar"},
		Env:      []string{"REGISTRAR_BIN=/run/share/registrar", "VPCSIM_REQUIRE_IPVLAN=1"},
		Args:     []string{"-test.run=^TestKernel"},
	})
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"os"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/sandboxtest"
)

const (
	// ipvlanEnv=1 demands real ipvlan, where the fabric would do without.
	ipvlanEnv = "VPCSIM_REQUIRE_IPVLAN"
	// atOnce is how many tests run side by side: most of their time is waiting.
	atOnce = 8
)

func TestMain(m *testing.M) {
	os.Exit(sandboxtest.Main(m, sandboxtest.Options{Parallel: atOnce, Registrar: true, RegistrarRace: true}))
}

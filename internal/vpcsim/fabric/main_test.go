// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"os"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/sandboxtest"
)

func TestMain(m *testing.M) {
	if os.Getenv(helperEnv) != "" {
		os.Exit(helper())
	}
	os.Exit(sandboxtest.Main(m, sandboxtest.Options{}))
}

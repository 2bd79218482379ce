// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vpcsim

import (
	"os"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/sandboxtest"
)

func TestMain(m *testing.M) { os.Exit(sandboxtest.Main(m, sandboxtest.Options{})) }

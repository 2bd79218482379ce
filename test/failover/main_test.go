// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/sandboxtest"
)

// sideBySide is how many scenarios run side by side: most of their time is waiting.
const sideBySide = 4

func TestMain(m *testing.M) {
	os.Exit(sandboxtest.Main(m, sandboxtest.Options{Parallel: sideBySide, Registrar: true}))
}

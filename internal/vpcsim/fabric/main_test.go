// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/sandbox"
)

// TestMain runs every test in a sandbox, so that the machine stays as it is
// and no root is needed, and fails when a goroutine is left.
func TestMain(m *testing.M) {
	code, err := sandbox.Run(sandbox.Options{}, func() int {
		if os.Getenv(helperEnv) != "" {
			return helper()
		}
		code := m.Run()
		if code == 0 {
			if err := goleak.Find(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
		return code
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

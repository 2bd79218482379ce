// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"os"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/usernstest"
)

func TestMain(m *testing.M) { os.Exit(usernstest.Main(m, beNobody)) }

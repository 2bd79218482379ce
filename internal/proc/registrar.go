// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"fmt"
	"os"
	"path/filepath"
)

// Registrar is the absolute path of a registrar, which must be there.
func Registrar(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		return "", fmt.Errorf("find the registrar (make build makes it): %w", err)
	}
	return path, nil
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// inputs reads what other programs read for these tests. `go test` remembers a
// result as long as the files are the same that the test itself has opened: without
// this it would not see a change of the chart.
var inputs = sync.OnceValue(func() error {
	for _, dir := range []string{chart, "testdata", root + "/cmd/webhook", root + "/internal/cli", root + "/scripts/helm.sh"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				_, err = os.ReadFile(path)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
})

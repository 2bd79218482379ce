// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/sandbox"
)

// inSandbox does the work in a sandbox. Other commands of the same user find it
// by the prefix; "" is for none.
func inSandbox(prefix string, work func() error) error {
	var box sandbox.Options
	if prefix != "" && !sandbox.Inside() {
		note, err := takeNote(prefix)
		if err != nil {
			return err
		}
		defer note.remove()
		box.Started = note.write
	}
	var inner error
	code, err := sandbox.Run(box, func() int {
		if inner = work(); inner != nil {
			return cli.ExitFailed
		}
		return cli.ExitDone
	})
	switch {
	case err != nil:
		return fmt.Errorf("make a sandbox for the VPC: %w", err)
	case inner != nil:
		return inner
	case code != cli.ExitDone:
		return exitCode(code)
	}
	return nil
}

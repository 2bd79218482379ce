// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/control"
)

func waitCommand(env cli.Env) *cobra.Command {
	var dir string
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "wait",
		Short: "Block until every address is routed",
		Long: `wait blocks until the running sidecar says that EC2 has acknowledged every address
of the pod's Multus interfaces, and exits 0 then. Use it where the application
must not start earlier: as the sidecar's postStart hook or startup probe. It also
waits for a sidecar that has not started yet. After --timeout it exits 1 and says
what is missing.`,
	}
	stateDirFlag(c.Flags(), &dir)
	c.Flags().DurationVar(&timeout, "timeout", 0, "`time` to wait at most; 0 for ever")
	check := func() []error {
		if timeout < 0 {
			return []error{fmt.Errorf("--timeout is %v: it must not be negative", timeout)}
		}
		return nil
	}
	return cli.Strict(c, env, check, func(c *cobra.Command) error {
		ctx := c.Context()
		if timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, timeout)
			defer cancel()
		}
		_, err := control.Wait(ctx, dir)
		if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return fmt.Errorf("waited %v: %w", timeout, err)
		}
		return err
	})
}

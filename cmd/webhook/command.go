// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
)

// run is the whole program; it returns the exit code.
func run(ctx context.Context, args []string, lookup func(string) (string, bool), stdout, stderr io.Writer) int {
	return cli.Execute(ctx, rootCommand(cli.Env{Prefix: "WEBHOOK_", Lookup: lookup}), args, stdout, stderr)
}

func rootCommand(env cli.Env) *cobra.Command {
	root := &cobra.Command{
		Use:     "webhook",
		Version: cli.Version(),
		Short:   "Add the registrar to pods that ask for it",
		Long: `webhook is the mutating admission webhook of multus-ip-registrar. It adds the
registrar to pods that ask for it by the annotation multus-ip-registrar.io/inject,
or whose networks or namespace ask for it.

  webhook serve         answer the API server; any number of replicas
  webhook check         have the API server inject a pod that is never made

Every flag can be given as an environment variable: --drain-delay is
WEBHOOK_DRAIN_DELAY. A flag beats its variable.

Exit codes: 0 done, 1 failed at run time, 2 wrong usage.`,
	}
	return cli.Group(root, serveCommand(env), checkCommand(env), cli.VersionCommand("webhook", env))
}

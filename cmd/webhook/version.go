// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
)

func versionCommand(env cli.Env) *cobra.Command {
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long:  "version prints the version of webhook, of Go, and the platform it was built for.",
	}
	return cli.Strict(c, env, nil, func(c *cobra.Command) error {
		_, err := fmt.Fprintln(c.OutOrStdout(), cli.VersionLine("webhook"))
		return err
	})
}

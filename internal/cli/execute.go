// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Execute runs a program by its root command, tells its error on stderr, and
// returns the exit code.
func Execute(ctx context.Context, root *cobra.Command, args []string, stdout, stderr io.Writer) int {
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return ExitDone
	}
	name := root.Name()
	fmt.Fprintf(stderr, "%s: %v\n", name, err)
	if _, wrong := errors.AsType[UsageError](err); wrong {
		fmt.Fprintf(stderr, "Run '%[1]s --help' or '%[1]s COMMAND --help'.\n", name)
		return ExitUsage
	}
	return ExitFailed
}

// VersionCommand prints a program's version.
func VersionCommand(program string, env Env) *cobra.Command {
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long:  "version prints the version of " + program + ", of Go, and the platform it was built for.",
	}
	return Strict(c, env, nil, func(c *cobra.Command) error {
		_, err := fmt.Fprintln(c.OutOrStdout(), VersionLine(program))
		return err
	})
}

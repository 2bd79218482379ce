// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Group makes c the command above others: alone it prints its help, and an
// unknown word is wrong usage that names the commands there are.
func Group(c *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	names := make([]string, len(commands))
	for i, sub := range commands {
		names[i] = sub.Name()
	}
	last := len(names) - 1
	choice := strings.Join(names[:last], ", ") + " or " + names[last]
	c.SilenceUsage, c.SilenceErrors = true, true
	c.CompletionOptions.DisableDefaultCmd = true
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		_, path, _ := strings.Cut(c.CommandPath()+" ", " ") // without the program
		return UsageError{Err: fmt.Errorf("there is no command %s%q: choose %s", path, args[0], choice)}
	}
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return UsageError{Err: err} })
	c.AddCommand(commands...)
	return c
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
)

func downCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Remove what killed runs have left behind",
		Long: `down removes the namespaces of VPCs whose process is gone, for example after
kill -9, and lists those that live. It touches nothing else. Living ones end
when their process is interrupted. What ran in a user namespace leaves nothing.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			swept, err := netspace.Sweep()
			if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
				err = fmt.Errorf("%w; run it as the user who started the VPC, root", err)
			}
			for _, prefix := range swept {
				fmt.Fprintf(c.OutOrStdout(), "removed what %s had left\n", prefix)
			}
			runs, errRuns := netspace.Runs()
			for _, r := range runs {
				if r.Alive {
					fmt.Fprintf(c.OutOrStdout(), "%s is running: end it with \"kill %d\"\n", r.Prefix, r.PID)
				}
			}
			if len(swept) == 0 && err == nil {
				fmt.Fprintln(c.OutOrStdout(), "nothing was left behind")
			}
			return errors.Join(err, errRuns)
		},
	}
}

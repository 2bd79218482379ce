// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

func checkCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "check -f TOPOLOGY",
		Short: "Say everything that is wrong with a topology file",
		Long: `check reads a topology file as up would, and starts nothing. It prints every
fault with its line and its cure, one per line, and ends with code 2 when there
is one.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			topo, err := load(file)
			if err == nil {
				_, err = model.New(topo)
			}
			if err != nil {
				return err
			}
			enis := 0
			for _, w := range topo.Workers {
				enis += len(w.ENIs)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s is good: %d subnets, %d workers with %d ENIs, %d pods\n",
				file, len(topo.Subnets), len(topo.Workers), enis, len(topo.Pods))
			return err
		},
	}
	c.Flags().StringVarP(&file, "file", "f", "", "the topology, a YAML file")
	return c
}

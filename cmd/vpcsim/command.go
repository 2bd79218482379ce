// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// exitCode is the failure of a program that ran in a sandbox, which has said
// itself what was wrong.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// run is the whole program; it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return cli.ExitDone
	}
	if code, ok := errors.AsType[exitCode](err); ok {
		return int(code)
	}
	fmt.Fprintf(stderr, "vpcsim: %v\n", err)
	if len(topology.Faults(err)) > 0 {
		return cli.ExitUsage
	}
	if _, ok := errors.AsType[cli.UsageError](err); ok {
		fmt.Fprintln(stderr, "Run 'vpcsim --help' or 'vpcsim COMMAND --help'.")
		return cli.ExitUsage
	}
	return cli.ExitFailed
}

// settings are what all commands share.
type settings struct{ prefix string }

func rootCommand() *cobra.Command {
	s := &settings{}
	root := &cobra.Command{
		Use:   "vpcsim",
		Short: "Run a small AWS VPC on this machine",
		Long: `vpcsim runs a small AWS VPC on this machine: no account, no cloud, no cost.

A YAML file names the subnets, the workers with their ENIs, and the pods. Workers
and pods become network namespaces. EC2 answers as the SDKs speak it, IMDSv2
answers at 169.254.169.254, and a packet arrives exactly when EC2's state says
that its destination is owned and its source is the sender's. So a ping between
two pods works when, and only when, their addresses are assigned to the ENIs
below them.

  vpcsim demo                                    the whole story, told and measured

Or step by step. In one shell:
  vpcsim up -f examples/vpcsim/two-workers.yaml

In another:
  vpcsim exec client -- ping 10.0.1.100          silence: nobody has assigned it
  vpcsim drops                                   says why
  vpcsim exec upf-active -- registrar sidecar    assigns upf-active's addresses
  vpcsim exec client -- registrar sidecar        and client's: now it answers
  vpcsim calls                                   what EC2 was asked

As root it uses this machine's namespaces, and "ip netns" shows them. Otherwise
it runs in a user namespace, and "vpcsim exec" finds the way in.

Exit codes: 0 done, 1 failed at run time, 2 wrong usage or a faulty topology;
exec ends with the code of the program that it runs.`,
	}
	root.PersistentFlags().StringVar(&s.prefix, "prefix", fabric.DefaultPrefix,
		"what the names of the namespaces begin with; VPCs side by side need different ones")
	return cli.Group(root, upCommand(s), downCommand(), execCommand(s), callsCommand(s), dropsCommand(s), faultCommand(s),
		checkCommand(), demoCommand(s), versionCommand())
}

// noArguments is for commands that take flags only.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return cli.UsageError{Err: fmt.Errorf("%s takes no argument, and there is %q", c.CommandPath(), args)}
	}
	return nil
}

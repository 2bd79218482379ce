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
	return cli.Execute(ctx, rootCommand(cli.Env{Prefix: "REGISTRAR_", Lookup: lookup}), args, stdout, stderr)
}

func rootCommand(env cli.Env) *cobra.Command {
	root := &cobra.Command{
		Use:     "registrar",
		Version: cli.Version(),
		Short:   "Make a pod's Multus addresses routable in the VPC",
		Long: `registrar makes the addresses of a pod's Multus interfaces routable in an AWS VPC.

It reads the addresses of the pod's ipvlan interfaces from the kernel, finds the
worker's network interface (ENI) below each, and makes EC2 deliver the addresses
to it, IPv4 and IPv6. It runs inside the pod, without any capability:

  registrar init       once, before the application starts, then exits
  registrar sidecar    as long as the pod lives: also follows floating IPs that
                       move, and gives addresses back when they go

Both run without any flag on a well-made worker. The AWS Region, credentials and
endpoints come from the AWS SDK's own environment (AWS_REGION, IRSA, EKS Pod
Identity, the instance role). IAM actions: ec2:AssignPrivateIpAddresses,
ec2:UnassignPrivateIpAddresses, ec2:AssignIpv6Addresses,
ec2:UnassignIpv6Addresses and ec2:DescribeNetworkInterfaces; with --route-tables
also ec2:ReplaceRoute, ec2:CreateRoute, ec2:DeleteRoute and ec2:DescribeRouteTables.

Every flag can be given as an environment variable: --state-dir is
REGISTRAR_STATE_DIR. A flag beats its variable.

Exit codes: 0 done, 1 failed at run time, 2 wrong usage.`,
	}
	return cli.Group(root, initCommand(env), sidecarCommand(env), statusCommand(env), waitCommand(env), cli.VersionCommand("registrar", env))
}

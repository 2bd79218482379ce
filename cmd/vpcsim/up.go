// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/sandbox"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

func upCommand(s *settings) *cobra.Command {
	var file string
	var opts vpcsim.Options
	c := &cobra.Command{
		Use:   "up -f TOPOLOGY",
		Short: "Start the VPC of a topology file and serve until interrupted",
		Long: `up starts the VPC that a topology file describes, prints what there is and how
to use it, and serves until it is interrupted (Ctrl-C, SIGTERM). Then it removes
every namespace and ends the programs that run in them.

Where it is not root it starts itself again in a user namespace.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			opts.Fabric.Prefix = s.prefix
			return up(c, file, opts)
		},
	}
	f := c.Flags()
	f.StringVarP(&file, "file", "f", "", "the topology, a YAML file (examples/vpcsim has some)")
	f.BoolVar(&opts.NoFabric, "no-fabric", false, "serve EC2 and IMDS on 127.0.0.1 only and build no network; needs no right at all")
	f.BoolVar(&opts.InstanceRole, "instance-role", false, "give programs no credentials, so that they fetch the instance role's from IMDS")
	f.BoolVar(&opts.Fabric.RequireIPvlan, "require-ipvlan", false, "fail on a kernel without ipvlan")
	f.BoolVar(&opts.Fabric.NoIPvlan, "no-ipvlan", false, "give pods taps instead of ipvlan devices even where the kernel has them")
	f.BoolVar(&opts.Fabric.DAD, "dad", false, "leave IPv6 duplicate address detection on: addresses are tentative for a second")
	f.BoolVar(&opts.Fabric.AnswerDAD, "answer-dad", false, "with --dad: the VPC answers it for addresses of other ENIs")
	f.IntVar(&opts.Fabric.MTU, "mtu", 0, "MTU of ENIs and pods (default 1500)")
	return c
}

func up(c *cobra.Command, file string, opts vpcsim.Options) error {
	topo, err := load(file)
	if opts.Fabric.RequireIPvlan && opts.Fabric.NoIPvlan {
		err = errors.Join(err, cli.UsageError{Err: errors.New("--require-ipvlan and --no-ipvlan exclude each other")})
	}
	if bad := netspace.CheckPrefix(opts.Fabric.Prefix); bad != nil {
		err = errors.Join(err, cli.UsageError{Err: bad})
	}
	if m := opts.Fabric.MTU; m != 0 && (m < minMTU || m > maxMTU) {
		err = errors.Join(err, cli.UsageError{Err: fmt.Errorf("--mtu %d: write %d to %d", m, minMTU, maxMTU)})
	}
	if err != nil {
		return err
	}
	if opts.NoFabric || os.Geteuid() == 0 && !sandbox.Inside() {
		return serve(c.Context(), c, topo, opts)
	}
	if !sandbox.Inside() {
		fmt.Fprintln(c.ErrOrStderr(), "vpcsim: not root, so this VPC lives in a user namespace of its own")
	}
	return inSandbox(opts.Fabric.Prefix, func() error { return serve(c.Context(), c, topo, opts) })
}

// The least MTU is IPv6's, the greatest an ENI's.
const minMTU, maxMTU = 1280, 9001

func serve(ctx context.Context, c *cobra.Command, topo topology.Topology, opts vpcsim.Options) error {
	sim, err := vpcsim.Start(ctx, topo, opts)
	if err != nil {
		return err
	}
	if err := describe(c.OutOrStdout(), sim, opts); err != nil {
		return errors.Join(err, sim.Close())
	}
	<-ctx.Done()
	fmt.Fprintln(c.ErrOrStderr(), "vpcsim: ending")
	return sim.Close()
}

// load reads a topology, and its faults are the user's to mend.
func load(file string) (topology.Topology, error) {
	if file == "" {
		return topology.Topology{}, cli.UsageError{Err: errors.New("no topology is given: write -f FILE, for example -f examples/vpcsim/two-workers.yaml")}
	}
	return topology.Load(file)
}

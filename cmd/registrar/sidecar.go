// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar"
)

func sidecarCommand(env cli.Env) *cobra.Command {
	s := &settings{}
	c := &cobra.Command{
		Use:   "sidecar",
		Short: "Keep the ENIs true to the pod's Multus interfaces until SIGTERM",
		Long: `sidecar keeps EC2's secondary addresses equal to the addresses of the pod's
Multus interfaces as long as the pod lives:

  an address that appears      is assigned to the ENI below at once, and taken from
                               the ENI that had it: this is how a floating IP fails over
  an address that stays        is put back if it gets lost, but never stolen; if another
                               ENI took it, it is claimed again after --hold-down
  an address that goes         is unassigned; all of them are at SIGTERM

It never gives up: what can pass is tried again at once, what somebody has to
cure is told once and tried again slowly. 'registrar status' shows how it stands,
'registrar wait' blocks until every address is routed.`,
		Example: `  registrar sidecar
  registrar sidecar --release never --metrics-address :9464`,
	}
	s.register(c.Flags())
	s.registerHolding(c.Flags())
	return cli.Strict(c, env, s.check, func(c *cobra.Command) error {
		return s.run(c, sidecarMode, s.ledger(false), func(r *registrar.Registrar) error { return r.Sidecar(c.Context()) })
	})
}

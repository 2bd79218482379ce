// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
)

// defaultInitTimeout is long enough for throttling in a full restart of a
// cluster (AWS refills 5 calls a second), short enough that a person sees the
// reason in kubectl describe while still looking at the pod.
const defaultInitTimeout = 2 * time.Minute

func initCommand(env cli.Env) *cobra.Command {
	s := &settings{
		hintInterval: ledger.DefaultHintInterval, describeEvery: ledger.DefaultDescribeInterval,
		holdDown: ledger.DefaultHoldDown, holdDownMax: ledger.DefaultHoldDownMax,
	}
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "init",
		Short: "Assign the pod's Multus addresses once, then exit",
		Long: `init assigns the addresses of the pod's Multus interfaces to the ENIs below them
and exits 0 when EC2 has acknowledged every one of them: what starts afterwards
has its addresses routed. It tries again whatever can pass by itself, and exits 1
after --timeout with what is missing, the ENI and the cure; the kubelet then
starts it again, but in a pod with restartPolicy Never, which has failed then.

Nothing gives the addresses back when the pod ends: use 'sidecar' where pods
come and go, and for floating IPs.`,
		Example: `  registrar init
  registrar init --interfaces net1,net2 --timeout 5m`,
	}
	s.register(c.Flags())
	c.Flags().DurationVar(&timeout, "timeout", defaultInitTimeout, "`time` to have every address routed in")
	check := func() []error {
		faults := s.check()
		if timeout <= 0 {
			faults = append(faults, fmt.Errorf("--timeout is %v: it must be more than 0", timeout))
		}
		return faults
	}
	return cli.Strict(c, env, check, func(c *cobra.Command) error {
		return s.run(c, "init", s.ledger(true), func(r *registrar.Registrar) error {
			err := r.Init(c.Context(), timeout)
			var late *registrar.NotReadyError
			if errors.As(err, &late) {
				return fmt.Errorf("not every address is routed after %v:\n%w", timeout, err)
			}
			if c.Context().Err() != nil {
				return fmt.Errorf("ended before every address was routed: %w", err)
			}
			return err
		})
	})
}

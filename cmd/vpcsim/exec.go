// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
)

func execCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "exec POD|WORKER -- COMMAND [ARGUMENT…]",
		Short: "Run a command in a pod, or on a worker, with the AWS SDKs' environment",
		Long: `exec runs a command in the network namespace of a pod or a worker of a running
VPC. AWS_REGION, AWS_ENDPOINT_URL_EC2 and credentials are set, so that AWS SDKs
and the AWS CLI speak to the VPC. Files and users stay as they are.`,
		Example: `  vpcsim exec client -- ping 10.0.1.100
  vpcsim exec upf-active -- ip addr add 10.0.1.200/32 dev net1
  vpcsim exec upf-active -- aws ec2 describe-network-interfaces
  vpcsim exec worker1 -- tcpdump -ni eth1`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return cli.UsageError{Err: errors.New("name a pod or worker and a command: vpcsim exec POD -- COMMAND")}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			w, err := find(s.prefix)
			if err != nil {
				return err
			}
			if w.pid != 0 {
				return enter(w.pid, append([]string{"exec", "--prefix", s.prefix, args[0], "--"}, args[1:]...))
			}
			return execIn(w.record, args[0], args[1:])
		},
	}
}

// execIn replaces this process with a command in the namespace.
func execIn(r vpcsim.Record, name string, argv []string) error {
	place, ok := r.Pods[name]
	if !ok {
		place, ok = r.Workers[name]
	}
	if !ok {
		return cli.UsageError{Err: fmt.Errorf("there is no pod or worker %q: choose %s", name,
			strings.Join(slices.Concat(slices.Sorted(maps.Keys(r.Pods)), slices.Sorted(maps.Keys(r.Workers))), ", "))}
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return fmt.Errorf("find the command: %w", err)
	}
	ns, err := netspace.Open(place.Namespace)
	if err != nil {
		return err
	}
	return ns.Run(func() error {
		if err := syscall.Exec(path, argv, overlay(os.Environ(), place.Env)); err != nil {
			return fmt.Errorf("run %s in %s: %w", path, name, err)
		}
		return nil
	})
}

// overlay returns base with the variables of over in place of its own: where
// a variable is there twice, programs differ in which they take.
func overlay(base, over []string) []string {
	set := make(map[string]bool)
	for _, kv := range over {
		name, _, _ := strings.Cut(kv, "=")
		set[name] = true
	}
	kept := slices.DeleteFunc(slices.Clone(base), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return set[name]
	})
	return append(kept, over...)
}

// enter replaces this process with one of its own kind inside of the user
// namespace that a process holds. A Go program cannot enter it by itself, since
// it has several threads from the start.
func enter(pid int, args []string) error {
	nsenter, err := exec.LookPath("nsenter")
	if err != nil {
		return fmt.Errorf("enter the VPC's user namespace: install nsenter (Debian: util-linux), or run vpcsim as root: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	argv := append([]string{nsenter, "--preserve-credentials", "--user", "--mount", "--pid", "--target", strconv.Itoa(pid), "--", self}, args...)
	if err := syscall.Exec(nsenter, argv, os.Environ()); err != nil {
		return fmt.Errorf("run %s: %w", nsenter, err)
	}
	return nil
}

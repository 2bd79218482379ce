// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
	"github.com/multus-ip-registrar/multus-ip-registrar/test/uml"
)

// controlWorker is the topology's name of the control plane's instance.
const controlWorker = "control"

// Options of Start.
type Options struct {
	// Dir is a directory for logs and everything else. Its path must be
	// short: it has sockets.
	Dir string
	// Topology is the VPC: a worker named control, the others Kubernetes' own:
	// virtual machines, or one that runs on this machine's kernel.
	Topology topology.Topology
	// Programs is what scripts/node.sh prints, APIServer and Etcd are what
	// scripts/apiserver.sh prints.
	Programs, APIServer, Etcd string
	// GuestInit and Node, on the file system of Dir, are static builds of test/uml/guestinit and test/e2e/node.
	GuestInit, Node string
	// NetworksDefinition is the file with the CustomResourceDefinition of
	// NetworkAttachmentDefinitions.
	NetworksDefinition string
	// Images is an archive for "ctr images import", which has PauseImage.
	Images string
	// APIPort is where programs of this machine reach the API server, on
	// 127.0.0.1: the caller leads connections from there to APISocket.
	APIPort int
	// Say tells the progress, a line each.
	Say func(format string, args ...any)
}

// A Cluster is a running one. Close it to remove every trace but Dir.
type Cluster struct {
	opts      Options
	kernel    uml.Kernel
	sim       *vpcsim.Sim
	workers   []*worker
	processes []*process
	servers   []func() error
	client    client
}

// Start returns a cluster whose nodes are Ready, with Multus and the
// definitions of networks. It wants a process of package sandbox. On error
// nothing is left but Dir, which has the logs.
func Start(ctx context.Context, opts Options) (*Cluster, error) {
	kernel, err := uml.Installed(opts.GuestInit)
	if err != nil {
		return nil, fmt.Errorf("%w: run scripts/deps.sh e2e", err)
	}
	c := &Cluster{opts: opts, kernel: kernel}
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) (err error) {
	begin := time.Now()
	c.sim, err = vpcsim.Start(ctx, c.opts.Topology, vpcsim.Options{InstanceRole: true, Fabric: fabric.Options{DAD: true}})
	if err != nil {
		return err
	}
	c.opts.Say("the VPC is there: EC2 at %s", c.sim.EC2URL)
	for _, w := range c.opts.Topology.Workers {
		if w.Name != controlWorker {
			c.workers = append(c.workers, &worker{name: w.Name, native: w.Machine != topology.MachineVM, cluster: c})
		}
	}
	if err := c.startAPI(); err != nil {
		return err
	}
	if err := c.kubeconfigs(); err != nil {
		return err
	}
	for _, w := range c.workers {
		if err := w.prepare(); err != nil {
			return err
		}
		if err := w.boot(); err != nil {
			return err
		}
	}
	c.opts.Say("%d workers are booting", len(c.workers))
	if err := c.startControllers(); err != nil {
		return err
	}
	if c.client, err = c.connect(); err != nil {
		return err
	}
	if err := c.client.ready(ctx); err != nil {
		return err
	}
	c.opts.Say("the API server is ready")
	if err := c.serve(ctx); err != nil {
		return err
	}
	if err := c.client.define(ctx, c.definitions()); err != nil {
		return err
	}
	if err := c.nodesReady(ctx, begin); err != nil {
		return err
	}
	return nil
}

// nodesReady waits for all of them.
func (c *Cluster) nodesReady(ctx context.Context, begin time.Time) error {
	seen := map[string]bool{}
	return until(nodePatience, func() error {
		for _, w := range c.workers {
			if seen[w.name] {
				continue
			}
			if err := w.failed(); err != nil {
				return err
			}
			if err := c.client.nodeReady(ctx, w.name); err != nil {
				return err
			}
			seen[w.name] = true
			c.opts.Say("%s is Ready, %.1f s after its power was switched on, %.1f s after the start",
				w.name, time.Since(w.booted).Seconds(), time.Since(begin).Seconds())
		}
		return nil
	})
}

// nodePatience is for slow machines; it takes some 10 s.
const nodePatience = 3 * time.Minute

// control is the control plane's instance.
func (c *Cluster) control() *fabric.Worker { return c.sim.Fabric.Worker(controlWorker) }

// address is a worker's primary one, in its subnet.
func (c *Cluster) address(name string) netip.Prefix {
	t := c.sim.VPC.Topology()
	for _, w := range t.Workers {
		if w.Name != name {
			continue
		}
		for _, s := range t.Subnets {
			if s.Name == w.ENIs[0].Subnet {
				return netip.PrefixFrom(w.ENIs[0].IP, s.CIDR.Bits())
			}
		}
	}
	return netip.Prefix{}
}

// dial connects to something in the VPC.
func (c *Cluster) dial(ctx context.Context, address string) (net.Conn, error) {
	return c.control().Dial(ctx, "tcp4", address)
}

// Close ends everything.
func (c *Cluster) Close() error {
	var errs []error
	for _, end := range c.servers {
		errs = append(errs, end())
	}
	for _, w := range c.workers {
		w.cut()
	}
	for _, p := range c.processes {
		p.kill()
	}
	errs = append(errs, RemoveGroups(c.opts.Dir))
	if c.sim != nil {
		errs = append(errs, c.sim.Close())
	}
	return errors.Join(errs...)
}

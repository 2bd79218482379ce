// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

const (
	// awsDevice is a worker's link to the services of AWS.
	awsDevice = "aws0"
	// serviceLinks is where workers' addresses on those links come from.
	// Source: RFC 2544, for benchmarks; nobody's VPC and not EKS's own.
	serviceLinks = "198.18.0.0/15"
	maxWorkers   = 1<<16 - 1
)

// wrongMAC belongs to nobody: frames to it are dropped by the receiver.
var wrongMAC = net.HardwareAddr{0x02, 0, 0, 0, 0, 0}

func (f *Fabric) startAWS() (*netspace.Namespace, error) {
	if !f.topo.EC2.Address.Addr().Is4() {
		return nil, fmt.Errorf("ec2.address %s: the fabric serves EC2 on an IPv4 address only", f.topo.EC2.Address)
	}
	ns, err := f.newNamespace("aws", "")
	if err != nil {
		return nil, err
	}
	for _, a := range f.services() {
		if err := addAddress(ns, "lo", only(a), false); err != nil {
			return nil, errors.Join(err, ns.Close())
		}
	}
	if slices.ContainsFunc(f.topo.Workers, func(w topology.Worker) bool { return w.Machine == topology.MachineVM }) {
		if err := f.serveVPC(ns); err != nil {
			return nil, errors.Join(err, ns.Close())
		}
	}
	return ns, nil
}

// services are the addresses that listeners of AWS have.
func (f *Fabric) services() []netip.Addr {
	return []netip.Addr{topology.IMDSAddress.Addr(), f.topo.EC2.Address.Addr()}
}

// linkAWS joins the i-th worker to the services.
func (f *Fabric) linkAWS(w *Worker, i int) error {
	if i >= maxWorkers {
		return fmt.Errorf("more than %d workers", maxWorkers)
	}
	base := netip.MustParsePrefix(serviceLinks).Addr().As4()
	self := netip.AddrFrom4([4]byte{base[0], base[1], byte((i + 1) >> 8), byte(i + 1)})
	w.awsLink = fmt.Sprintf("w%d", i)
	if err := f.addVeth(w.Namespace, awsDevice, f.aws, w.awsLink); err != nil {
		return err
	}
	if err := addAddress(w.Namespace, awsDevice, only(self), false); err != nil {
		return err
	}
	for _, a := range f.services() {
		if err := addRoutes(w.Namespace, route{to: only(a).String(), device: awsDevice, src: self}); err != nil {
			return err
		}
	}
	back := []route{{to: only(self).String(), device: w.awsLink}}
	if w.spec.PodCIDR.IsValid() {
		back = append(back, route{to: w.spec.PodCIDR.Masked().String(), device: w.awsLink, via: self, metric: i + 1})
	}
	return addRoutes(f.aws, back...)
}

// ListenIMDS returns the listener of one worker's IMDS: it takes connections
// from that worker and its pods only.
func (f *Fabric) ListenIMDS(ctx context.Context, worker string) (net.Listener, error) {
	w := f.Worker(worker)
	if w == nil {
		return nil, fmt.Errorf("listen for the IMDS of worker %s: there is no such worker", worker)
	}
	return f.aws.Listen(ctx, "tcp4", topology.IMDSAddress.String(), w.awsLink)
}

// ListenEC2 returns the listener of the EC2 endpoint, for all workers.
func (f *Fabric) ListenEC2(ctx context.Context) (net.Listener, error) {
	return f.aws.Listen(ctx, "tcp4", f.topo.EC2.Address.String(), "")
}

// BlockIMDS makes connections from the worker and its pods to IMDS time out,
// as a firewall would, or lets them through again.
func (w *Worker) BlockIMDS(blocked bool) error {
	if w.imds != nil {
		w.imds.Block(blocked)
		return nil
	}
	return withLink(w.Namespace, awsDevice, func(h *netlink.Handle, l netlink.Link) error {
		n := &netlink.Neigh{
			LinkIndex: l.Attrs().Index, IP: topology.IMDSAddress.Addr().AsSlice(),
			State: netlink.NUD_PERMANENT, HardwareAddr: wrongMAC,
		}
		if blocked {
			if err := h.NeighSet(n); err != nil {
				return fmt.Errorf("block IMDS: %w", err)
			}
			return nil
		}
		if err := h.NeighDel(n); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("unblock IMDS: %w", err)
		}
		return nil
	})
}

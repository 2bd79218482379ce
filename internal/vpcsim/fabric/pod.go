// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// podGateway is the next hop of a pod's default route. Nobody has the address;
// a static neighbour entry leads to the worker.
// Source: amazon-vpc-cni-k8s, cmd/routed-eni-cni-plugin/driver.
var podGateway = netip.MustParseAddr("169.254.1.1")

// A Pod is a network namespace on a worker, with eth0 and Multus' interfaces.
type Pod struct {
	*netspace.Namespace
	// Name is the topology's; Namespace.Name is what "ip netns" calls it.
	Name string
	// IP is the address of eth0.
	IP netip.Addr

	fabric *Fabric
	worker *Worker
	// Under Fabric.build: the interfaces by name, and how many there have been.
	links      map[string]*podLink
	interfaces int
}

// Worker is the worker that the pod runs on.
func (p *Pod) Worker() *Worker { return p.worker }

// AddPod starts a pod, with all its interfaces and their addresses.
func (f *Fabric) AddPod(spec topology.Pod) (*Pod, error) {
	f.build.Lock()
	defer f.build.Unlock()
	w := f.Worker(spec.Worker)
	switch {
	case f.closed:
		return nil, fmt.Errorf("add pod %s: the fabric is closed", spec.Name)
	case w == nil:
		return nil, fmt.Errorf("add pod %s: there is no worker %s", spec.Name, spec.Worker)
	case w.spec.Machine == topology.MachineVM:
		return nil, fmt.Errorf("add pod %s: worker %s is a virtual machine; start the pod inside of it", spec.Name, spec.Worker)
	case f.Pod(spec.Name) != nil:
		return nil, fmt.Errorf("add pod %s: it is there already", spec.Name)
	}
	ns, err := f.newNamespace("pod", spec.Name)
	if err != nil {
		return nil, fmt.Errorf("add pod %s: %w", spec.Name, err)
	}
	p := &Pod{Namespace: ns, Name: spec.Name, fabric: f, worker: w, links: make(map[string]*podLink)}
	f.mu.Lock()
	f.pods[spec.Name] = p
	f.mu.Unlock()
	err = p.addDefaultInterface()
	for _, i := range spec.Interfaces {
		if err == nil {
			err = p.addInterface(i)
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("add pod %s: %w", spec.Name, err), p.close(deleteLinks))
	}
	return p, nil
}

// addDefaultInterface adds eth0, as the VPC CNI does.
func (p *Pod) addDefaultInterface() error {
	const device = "eth0"
	w := p.worker
	n := w.pods
	w.pods++
	cidr := w.spec.PodCIDR
	if !cidr.IsValid() {
		return nil // the worker gives its pods no eth0
	}
	p.IP = cidr.Masked().Addr().Next()
	for range n + 1 {
		p.IP = p.IP.Next()
	}
	if !cidr.Contains(p.IP) {
		return fmt.Errorf("eth0: pod-cidr %s of worker %s is used up", cidr, w.Name)
	}
	outside := fmt.Sprintf("veth%d", n)
	if err := p.fabric.addVeth(p.Namespace, device, w.Namespace, outside); err != nil {
		return err
	}
	if err := addAddress(p.Namespace, device, only(p.IP), false); err != nil {
		return err
	}
	if err := p.pinGateway(device, outside); err != nil {
		return err
	}
	err := addRoutes(p.Namespace, route{to: only(podGateway).String(), device: device},
		route{to: "0.0.0.0/0", device: device, via: podGateway})
	if err != nil {
		return err
	}
	return addRoutes(w.Namespace, route{to: only(p.IP).String(), device: outside})
}

func (p *Pod) pinGateway(device, outside string) error {
	return withLink(p.worker.Namespace, outside, func(_ *netlink.Handle, peer netlink.Link) error {
		return withLink(p.Namespace, device, func(h *netlink.Handle, l netlink.Link) error {
			return h.NeighSet(&netlink.Neigh{
				LinkIndex: l.Attrs().Index, IP: podGateway.AsSlice(),
				State: netlink.NUD_PERMANENT, HardwareAddr: peer.Attrs().HardwareAddr,
			})
		})
	})
}

// Remove deletes the pod: its processes are killed and its interfaces go.
// Removing twice is success.
func (p *Pod) Remove() error {
	p.fabric.build.Lock()
	defer p.fabric.build.Unlock()
	return p.close(deleteLinks)
}

// close removes the pod; cut, when not nil, is called before its namespace is
// let go.
func (p *Pod) close(cut func(*netspace.Namespace) error) error {
	if !forget(p.fabric, p.fabric.pods, p.Name, p) {
		return nil
	}
	p.Kill()
	var errs []error
	for _, l := range p.links {
		errs = append(errs, l.unplug())
	}
	if cut != nil {
		errs = append(errs, cut(p.Namespace))
	}
	return errors.Join(append(errs, p.Namespace.Close())...)
}

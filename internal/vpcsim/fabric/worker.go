// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/vswitch"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// A Worker is an EC2 instance: its namespace has the ENIs eth0, eth1 …. For a
// virtual machine it is where to start the machine's program, and has a NIC
// for each ENI.
type Worker struct {
	*netspace.Namespace
	// Name is the topology's; Namespace.Name is what "ip netns" calls it.
	Name string

	fabric  *Fabric
	spec    topology.Worker
	awsLink string // the device in the aws namespace that leads to the worker
	unplug  []func() error
	// Of a virtual machine:
	nics []NIC
	imds *vswitch.ServicePort
	// How many pods, and taps of pods, there have been; under Fabric.build.
	pods, slaves int
}

func (f *Fabric) addWorker(i int, spec topology.Worker) error {
	if spec.Machine == topology.MachineVM {
		return f.addVM(i, spec)
	}
	ns, err := f.newNamespace("worker", spec.Name, netspace.Sysctl{Key: "ipv4/ip_forward", Value: "1"})
	if err != nil {
		return err
	}
	w := &Worker{Namespace: ns, Name: spec.Name, fabric: f, spec: spec}
	f.mu.Lock()
	f.workers[spec.Name] = w
	f.mu.Unlock()
	if err := f.linkAWS(w, i); err != nil {
		return err
	}
	for _, spec := range spec.ENIs {
		if err := w.plug(f.byName[spec.Name]); err != nil {
			return fmt.Errorf("ENI %s: %w", spec.Name, err)
		}
	}
	return nil
}

// plug makes the ENI's device, with what EC2's DHCP would tell about it.
func (w *Worker) plug(e *eni) error {
	device := e.device()
	t, err := openTap(w.Namespace, device, w.fabric.opts.MTU, e.mac())
	if err != nil {
		return err
	}
	unplug, err := w.fabric.sw.Plug(e.spec.ID, vswitch.Master, t)
	if err != nil {
		return errors.Join(err, t.Close())
	}
	w.unplug = append(w.unplug, unplug)
	// What arrives for others is not sent on: it is meant for an ipvlan
	// device, or a pod's tap, of the same ENI.
	err = w.Set(netspace.Sysctl{Key: "ipv4/conf/" + device + "/forwarding", Value: "0"})
	if err != nil {
		return err
	}
	if err := setUp(w.Namespace, device); err != nil {
		return err
	}
	for _, p := range w.addressesOf(e) {
		if err := addAddress(w.Namespace, device, p, w.fabric.opts.DAD); err != nil {
			return err
		}
	}
	if e.spec.Index != 0 {
		return nil
	}
	routes := []route{{to: "0.0.0.0/0", device: device, via: e.router4()}}
	if w.fabric.ipv6 && e.subnet.IPv6.IsValid() {
		routes = append(routes, route{to: "::/0", device: device, via: vswitch.RouterLinkLocal})
	}
	return addRoutes(w.Namespace, routes...)
}

// addressesOf returns what the worker itself has on an ENI: the primary
// address, and those IPv6 addresses that are not there for pods.
func (w *Worker) addressesOf(e *eni) []netip.Prefix {
	own := []netip.Prefix{netip.PrefixFrom(e.spec.IP, e.subnet.CIDR.Bits())}
	if len(e.spec.IPv6) > 0 && (e.spec.PrimaryIPv6 || e.spec.Index == 0) {
		own = append(own, netip.PrefixFrom(e.spec.IPv6[0], e.subnet.IPv6.Bits()))
	}
	return own
}

// Remove is a power cut: the worker and its pods are gone at once, and the VPC
// still knows their ENIs. Removing twice is success. For a virtual machine that
// is to be started again, end its program only: Kill does that to what Start
// has started.
func (w *Worker) Remove() error {
	f := w.fabric
	f.build.Lock()
	defer f.build.Unlock()
	return w.close(deleteLinks)
}

// close removes the worker and its pods; cut is as for Pod.close.
func (w *Worker) close(cut func(*netspace.Namespace) error) error {
	f := w.fabric
	if !forget(f, f.workers, w.Name, w) {
		return nil
	}
	w.Kill()
	var errs []error
	for _, unplug := range w.unplug {
		errs = append(errs, unplug())
	}
	for _, p := range f.Pods() {
		if p.worker == w {
			errs = append(errs, p.close(cut))
		}
	}
	if cut != nil {
		errs = append(errs, cut(w.Namespace))
	}
	return errors.Join(append(errs, w.Namespace.Close())...)
}

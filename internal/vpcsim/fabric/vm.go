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

// vpcDevice is how the services of AWS reach the VPC.
const vpcDevice = "vpc0"

// serviceMAC is the address of those services, on links of their own.
var serviceMAC = vswitch.MAC{0x02, 0, 0, 0, 0, 0x01}

// addVM makes the i-th worker's namespace, in which the virtual machine's
// program is to be started, with a NIC for each ENI.
func (f *Fabric) addVM(i int, spec topology.Worker) error {
	var extra []netspace.Sysctl
	if f.ipv6 {
		// The devices are the machine's wires: they have no addresses.
		extra = append(extra, netspace.Sysctl{Key: "ipv6/conf/all/disable_ipv6", Value: "1"},
			netspace.Sysctl{Key: "ipv6/conf/default/disable_ipv6", Value: "1"})
	}
	ns, err := f.newNamespace("worker", spec.Name, extra...)
	if err != nil {
		return err
	}
	w := &Worker{Namespace: ns, Name: spec.Name, fabric: f, spec: spec}
	f.mu.Lock()
	f.workers[spec.Name] = w
	f.mu.Unlock()
	if err := bridgeUnfiltered(ns); err != nil {
		return err
	}
	for _, spec := range spec.ENIs {
		e := f.byName[spec.Name]
		if err := w.addNIC(e); err != nil {
			return fmt.Errorf("ENI %s: %w", spec.Name, err)
		}
		if spec.Index == 0 {
			if err := w.serveIMDS(i, e); err != nil {
				return fmt.Errorf("IMDS on ENI %s: %w", spec.Name, err)
			}
		}
	}
	return nil
}

// serveIMDS makes IMDS reachable through the primary ENI, as a host of EC2
// does for its instances.
func (w *Worker) serveIMDS(i int, e *eni) (err error) {
	w.awsLink = fmt.Sprintf("w%d", i)
	w.imds, err = w.fabric.addService(w.fabric.aws, w.awsLink, i+1,
		vswitch.Service{Addrs: []netip.Addr{topology.IMDSAddress.Addr()}, MAC: serviceMAC, ENI: e.spec.ID})
	if err == nil {
		w.unplug = append(w.unplug, w.imds.Close)
	}
	return err
}

// serveVPC makes EC2 reachable from every ENI, as an interface endpoint or an
// internet gateway does.
func (f *Fabric) serveVPC(aws *netspace.Namespace) error {
	_, err := f.addService(aws, vpcDevice, 0, vswitch.Service{Addrs: []netip.Addr{f.topo.EC2.Address.Addr()}, MAC: serviceMAC})
	return err
}

// addService joins the namespace of the services to the switch. Answers to
// anybody who is on no other link leave through the device: the one with the
// least metric, or the one that a listener is bound to.
func (f *Fabric) addService(aws *netspace.Namespace, device string, metric int, v vswitch.Service) (*vswitch.ServicePort, error) {
	t, err := openTap(aws, device, f.opts.MTU, v.MAC[:])
	if err != nil {
		return nil, err
	}
	p, err := f.sw.PlugService(v, t)
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	err = setUp(aws, device)
	if err == nil {
		err = addRoutes(aws, route{to: "0.0.0.0/0", device: device, metric: metric})
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/vswitch"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// An eni is an ENI of the topology with what follows from its subnet.
type eni struct {
	spec   topology.ENI
	subnet topology.Subnet
	worker string
	wire   vswitch.ENI
}

// device is the name of the ENI's link in the worker's namespace.
func (e *eni) device() string { return fmt.Sprintf("eth%d", e.spec.Index) }

func (e *eni) mac() net.HardwareAddr { return net.HardwareAddr(e.wire.MAC[:]) }

// router4 is the subnet's router: the first address after the network's own.
// Source: VPC user guide, "Subnet CIDR blocks".
func (e *eni) router4() netip.Addr { return e.subnet.CIDR.Masked().Addr().Next() }

func enisOf(t topology.Topology) (map[string]*eni, error) {
	subnets := make(map[string]topology.Subnet)
	for _, s := range t.Subnets {
		subnets[s.Name] = s
	}
	all := make(map[string]*eni)
	for _, w := range t.Workers {
		for _, spec := range w.ENIs {
			s := subnets[spec.Subnet]
			e := &eni{spec: spec, subnet: s, worker: w.Name}
			mac, err := parseMAC(spec.MAC)
			if err != nil {
				return nil, fmt.Errorf("ENI %s: %w", spec.Name, err)
			}
			router, err := parseMAC(topology.DeriveMAC("router/" + s.ID))
			if err != nil {
				return nil, fmt.Errorf("router of subnet %s: %w", s.Name, err)
			}
			e.wire = vswitch.ENI{ID: spec.ID, MAC: mac, Subnet: s.ID, RouterMAC: router}
			if s.CIDR.IsValid() {
				e.wire.Routers = append(e.wire.Routers, e.router4())
			}
			all[spec.Name] = e
		}
	}
	return all, nil
}

func parseMAC(s string) (vswitch.MAC, error) {
	mac, err := net.ParseMAC(s)
	if err != nil || len(mac) != len(vswitch.MAC{}) {
		return vswitch.MAC{}, fmt.Errorf("MAC address %q is not six bytes in hexadecimal", s)
	}
	return vswitch.MAC(mac), nil
}

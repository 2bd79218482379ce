// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/vswitch"
)

// A pod with several ENIs has to answer through the one whose address was
// asked, or the VPC's source check drops the answer. So each interface has a
// routing table of its own, as the CNI plugin "sbr" makes it, for its addresses
// and for whatever else of its subnet the pod may come to have.
const (
	// routeMetric is the metric of the first interface's routes to the VPC's
	// blocks in the main table; later interfaces have greater ones.
	routeMetric = 100
	// routeTable is the table of the first interface.
	routeTable = 1000
	// Addresses decide before subnets: two ENIs may lie in one subnet.
	addressRule = 1000
	subnetRule  = 2000
)

// route makes what the pod sends from a leave through the interface l.
func (p *Pod) route(device string, l *podLink, a netip.Addr) error {
	if err := p.routeFamily(device, l, a.Is6()); err != nil {
		return err
	}
	return p.rule(l, only(a), addressRule, (*netlink.Handle).RuleAdd)
}

// unroute takes back what route has done for a.
func (p *Pod) unroute(l *podLink, a netip.Addr) error {
	return p.rule(l, only(a), addressRule, (*netlink.Handle).RuleDel)
}

// routeFamily leads the subnet and the VPC's blocks of one family through the
// interface, once.
func (p *Pod) routeFamily(device string, l *podLink, ipv6 bool) error {
	subnet, router := l.eni.subnet.CIDR, l.eni.router4()
	if ipv6 {
		subnet, router = l.eni.subnet.IPv6, vswitch.RouterLinkLocal
	}
	if l.routed[ipv6] || !subnet.IsValid() {
		return nil
	}
	l.routed[ipv6] = true
	table := routeTable + l.number
	routes := []route{{to: subnet.String(), device: device, table: table}}
	for _, c := range p.fabric.topo.VPC.CIDRs {
		if c.Addr().Is6() == ipv6 {
			to := c.Masked().String()
			routes = append(routes, route{to: to, device: device, via: router, table: table},
				route{to: to, device: device, via: router, metric: routeMetric + l.number})
		}
	}
	if err := addRoutes(p.Namespace, routes...); err != nil {
		return err
	}
	return p.rule(l, subnet, subnetRule, (*netlink.Handle).RuleAdd)
}

// reach leads blocks outside of the VPC to an interface's router.
func (p *Pod) reach(device string, l *podLink, blocks []netip.Prefix) error {
	for _, to := range blocks {
		via := l.eni.router4()
		if to.Addr().Is6() {
			via = vswitch.RouterLinkLocal
		}
		err := addRoutes(p.Namespace, route{to: to.String(), device: device, via: via, table: routeTable + l.number},
			route{to: to.String(), device: device, via: via, metric: routeMetric + l.number})
		if err != nil {
			return err
		}
	}
	return nil
}

// rule adds or deletes the rule that what comes from somewhere uses l's table.
func (p *Pod) rule(l *podLink, from netip.Prefix, priority int, do func(*netlink.Handle, *netlink.Rule) error) error {
	h, err := p.Handle()
	if err != nil {
		return err
	}
	r := netlink.NewRule()
	r.Family, r.Src, r.Priority, r.Table = netlink.FAMILY_V4, ipNet(from), priority, routeTable+l.number
	if from.Addr().Is6() {
		r.Family = netlink.FAMILY_V6
	}
	err = do(h, r)
	if err != nil && !errors.Is(err, unix.EEXIST) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("rule for what %s sends from %s: %w", p.Namespace.Name, from, err)
	}
	return nil
}

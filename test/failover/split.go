// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vishvananda/netlink"
)

// deafTable and deafRule lead to the peer while a pod is cut off from it, ahead
// of the rules of the pod's interfaces.
const (
	deafTable = 60
	deafRule  = 60
)

// split cuts the pods off from each other, and not from anybody else.
func split(lasting time.Duration) trouble {
	return func(ctx context.Context, l *lab) error {
		l.mark("", "split")
		if err := l.deaf(true); err != nil {
			return err
		}
		pause(ctx, lasting)
		l.mark("", "healed")
		l.quiet()
		return l.deaf(false)
	}
}

func (l *lab) deaf(deaf bool) error {
	if err := l.a.deafTo(l.b, deaf); err != nil {
		return err
	}
	return l.b.deafTo(l.a, deaf)
}

// deafTo cuts the pod off from its peer's VRRP address, or joins them again,
// with no way for the kernel to tell keepalived: the address is on the link, and
// what is sent to the ENI's own MAC address does not leave the worker.
func (p *pod) deafTo(peer *pod, deaf bool) error {
	h, err := p.Handle()
	if err != nil {
		return err
	}
	link, err := h.LinkByName(iface)
	if err != nil {
		return fmt.Errorf("find %s in pod %s: %w", iface, p.Name, err)
	}
	to := netlink.NewIPNet(peer.vrrp.AsSlice())
	neigh := &netlink.Neigh{LinkIndex: link.Attrs().Index, IP: to.IP, State: netlink.NUD_PERMANENT, HardwareAddr: link.Attrs().HardwareAddr}
	route := &netlink.Route{LinkIndex: link.Attrs().Index, Dst: to, Scope: netlink.SCOPE_LINK, Table: deafTable}
	rule := netlink.NewRule()
	rule.Family, rule.Dst, rule.Table, rule.Priority = netlink.FAMILY_V4, to, deafTable, deafRule
	if deaf {
		err = errors.Join(h.NeighSet(neigh), h.RouteReplace(route), h.RuleAdd(rule))
	} else {
		err = errors.Join(h.RuleDel(rule), h.RouteDel(route), h.NeighDel(neigh))
	}
	if err != nil {
		return fmt.Errorf("cut pod %s off from pod %s, or join them again: %w", p.Name, peer.Name, err)
	}
	return nil
}

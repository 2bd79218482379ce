// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/node/config"
)

const (
	// vector is how User-Mode Linux names the interface with device index N:
	// vecN.
	vector = "vec"
	// firstENI is the number in the name of the primary interface, as on
	// Nitro instances: ens5, ens6 and so on.
	firstENI = 5
)

// network does what the worker's network manager would: interfaces get their
// names and are set up, now and when they are attached later. The primary one
// gets its address. A native worker has that already.
func network(n config.Node) error {
	if n.Native {
		return forward(n)
	}
	updates := make(chan netlink.LinkUpdate)
	err := netlink.LinkSubscribeWithOptions(updates, nil, netlink.LinkSubscribeOptions{ListExisting: true})
	if err != nil {
		return fmt.Errorf("watch the interfaces: %w", err)
	}
	for u := range updates {
		primary, err := adopt(u.Link)
		if err != nil {
			return err
		}
		if !primary {
			continue
		}
		if err := configure(u.Link, n); err != nil {
			return err
		}
		break
	}
	go func() {
		for u := range updates {
			if _, err := adopt(u.Link); err != nil {
				say("%v", err)
			}
		}
		say("the interfaces are not watched any more")
	}()
	return nil
}

// adopt names an ENI and sets it up.
func adopt(link netlink.Link) (primary bool, err error) {
	number, ours := strings.CutPrefix(link.Attrs().Name, vector)
	index, err := strconv.Atoi(number)
	if !ours || err != nil {
		return false, nil
	}
	name := fmt.Sprintf("ens%d", firstENI+index)
	if err := netlink.LinkSetName(link, name); err != nil {
		return false, fmt.Errorf("name interface %s %s: %w", link.Attrs().Name, name, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return false, fmt.Errorf("set interface %s up: %w", name, err)
	}
	return index == 0, nil
}

func configure(link netlink.Link, n config.Node) error {
	addr, err := netlink.ParseAddr(n.Primary.String())
	if err != nil {
		return err
	}
	if err := netlink.AddrAdd(link, addr); err != nil {
		return fmt.Errorf("add the primary address %s: %w", n.Primary, err)
	}
	err = netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Gw: n.Gateway.AsSlice()})
	if err != nil {
		return fmt.Errorf("add the default route via %s: %w", n.Gateway, err)
	}
	return nil
}

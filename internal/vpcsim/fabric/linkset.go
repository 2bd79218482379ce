// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
)

// newNamespace makes a namespace with the settings that all of them have.
func (f *Fabric) newNamespace(kind, name string, extra ...netspace.Sysctl) (*netspace.Namespace, error) {
	ns, err := f.claim.Create(strings.TrimSuffix(f.opts.Prefix+"-"+kind+"-"+name, "-"))
	if err != nil {
		return nil, err
	}
	settings := []netspace.Sysctl{
		// Answers may come on another interface than questions went out.
		{Key: "ipv4/conf/all/rp_filter", Value: "0"},
		{Key: "ipv4/conf/default/rp_filter", Value: "0"},
	}
	for _, scope := range []string{"all", "default"} {
		if !f.ipv6 {
			break
		}
		conf := "ipv6/conf/" + scope + "/"
		settings = append(settings,
			netspace.Sysctl{Key: conf + "disable_ipv6", Value: "0"},
			netspace.Sysctl{Key: conf + "accept_ra", Value: "0"},
			netspace.Sysctl{Key: conf + "autoconf", Value: "0"})
		if !f.opts.DAD {
			settings = append(settings, netspace.Sysctl{Key: conf + "accept_dad", Value: "0"},
				netspace.Sysctl{Key: conf + "dad_transmits", Value: "0"})
		}
	}
	err = ns.Set(append(settings, extra...)...)
	if err == nil {
		err = withLink(ns, "lo", func(h *netlink.Handle, lo netlink.Link) error { return h.LinkSetUp(lo) })
	}
	if err != nil {
		return nil, errors.Join(err, ns.Close())
	}
	return ns, nil
}

// withLink calls fn with a device of a namespace, and names both in its error.
func withLink(ns *netspace.Namespace, device string, fn func(*netlink.Handle, netlink.Link) error) error {
	h, err := ns.Handle()
	if err != nil {
		return err
	}
	link, err := h.LinkByName(device)
	if err == nil {
		err = fn(h, link)
	}
	if err != nil {
		return fmt.Errorf("device %s in %s: %w", device, ns.Name, err)
	}
	return nil
}

func setUp(ns *netspace.Namespace, device string) error {
	return withLink(ns, device, func(h *netlink.Handle, l netlink.Link) error { return h.LinkSetUp(l) })
}

// addAddress adds an address that is usable at once, or, for IPv6 with dad,
// after duplicate address detection.
func addAddress(ns *netspace.Namespace, device string, p netip.Prefix, dad bool) error {
	a := &netlink.Addr{IPNet: ipNet(p)}
	if p.Addr().Is6() && !dad {
		a.Flags = unix.IFA_F_NODAD
	}
	return withLink(ns, device, func(h *netlink.Handle, l netlink.Link) error {
		if err := h.AddrAdd(l, a); err != nil {
			return fmt.Errorf("add address %s: %w", p, err)
		}
		return nil
	})
}

func delAddress(ns *netspace.Namespace, device string, p netip.Prefix) error {
	return withLink(ns, device, func(h *netlink.Handle, l netlink.Link) error {
		if err := h.AddrDel(l, &netlink.Addr{IPNet: ipNet(p)}); err != nil {
			return fmt.Errorf("delete address %s: %w", p, err)
		}
		return nil
	})
}

// A route is one line of a routing table. An invalid via means on the link;
// a via that no address of the device covers is taken to be on the link.
type route struct {
	to, device string
	via, src   netip.Addr
	metric     int
	table      int // 0 is the main one
}

func addRoutes(ns *netspace.Namespace, routes ...route) error {
	for _, r := range routes {
		to, err := netip.ParsePrefix(r.to)
		if err != nil {
			return fmt.Errorf("route to %s: %w", r.to, err)
		}
		err = withLink(ns, r.device, func(h *netlink.Handle, l netlink.Link) error {
			nr := &netlink.Route{LinkIndex: l.Attrs().Index, Dst: ipNet(to), Priority: r.metric, Table: r.table, Scope: netlink.SCOPE_LINK}
			if r.via.IsValid() {
				nr.Gw, nr.Flags, nr.Scope = r.via.AsSlice(), int(netlink.FLAG_ONLINK), netlink.SCOPE_UNIVERSE
			}
			if r.src.IsValid() {
				nr.Src = r.src.AsSlice()
			}
			if err := h.RouteReplace(nr); err != nil {
				return fmt.Errorf("route to %s via %s: %w", r.to, r.via, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// addVeth joins two namespaces and sets both ends up.
func (f *Fabric) addVeth(a *netspace.Namespace, aName string, b *netspace.Namespace, bName string) error {
	h, err := a.Handle()
	if err != nil {
		return err
	}
	err = h.LinkAdd(&netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: aName, MTU: f.opts.MTU, TxQLen: -1},
		PeerName:  bName, PeerNamespace: netlink.NsFd(b.FD()),
	})
	if err != nil {
		return fmt.Errorf("create veth %s in %s, %s in %s: %w", aName, a.Name, bName, b.Name, err)
	}
	return errors.Join(setUp(a, aName), setUp(b, bName))
}

// deleteLinks takes every device away, so that even a process that outlives
// its namespace's name is cut off.
func deleteLinks(ns *netspace.Namespace) error {
	h, err := ns.Handle()
	if err != nil {
		return err
	}
	links, err := h.LinkList()
	if err != nil {
		return fmt.Errorf("list the devices of %s: %w", ns.Name, err)
	}
	var errs []error
	for _, l := range links {
		if l.Attrs().Flags&net.FlagLoopback != 0 {
			continue
		}
		err := h.LinkDel(l)
		// Taps go with their descriptor, veths with their peer; what remains
		// in the namespace from the kernel's own modules cannot be deleted.
		if err != nil && !errors.Is(err, unix.ENODEV) && !errors.Is(err, unix.EOPNOTSUPP) {
			errs = append(errs, fmt.Errorf("delete device %s of %s: %w", l.Attrs().Name, ns.Name, err))
		}
	}
	return errors.Join(errs...)
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// only returns the prefix that holds one address.
func only(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

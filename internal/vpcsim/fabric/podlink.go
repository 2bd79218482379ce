// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/vswitch"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// A podLink is one Multus interface of a pod.
type podLink struct {
	eni    *eni
	unplug func() error  // does nothing for ipvlan, which has no port
	number int           // counts from 0 in the pod
	routed map[bool]bool // by "is IPv6": the routes are there
}

// AddInterface attaches an interface to a running pod and sets its addresses.
func (p *Pod) AddInterface(spec topology.Interface) error {
	p.fabric.build.Lock()
	defer p.fabric.build.Unlock()
	if p.fabric.Pod(p.Name) != p {
		return fmt.Errorf("add interface %s to pod %s: the pod is removed", spec.Name, p.Name)
	}
	if err := p.addInterface(spec); err != nil {
		return fmt.Errorf("pod %s: %w", p.Name, err)
	}
	return nil
}

// DelInterface detaches an interface from a running pod.
func (p *Pod) DelInterface(name string) error {
	p.fabric.build.Lock()
	defer p.fabric.build.Unlock()
	l := p.links[name]
	if l == nil {
		return fmt.Errorf("delete interface %s of pod %s: it has none of that name", name, p.Name)
	}
	delete(p.links, name)
	err := withLink(p.Namespace, name, func(h *netlink.Handle, l netlink.Link) error { return h.LinkDel(l) })
	return errors.Join(err, l.unplug())
}

// AddAddress gives an interface an address, as a CNI plugin, keepalived or the
// application would. As with ipvlan it is EADDRINUSE when the ENI has it on
// another interface. A kernel without ipvlan refuses this here only: a process
// in the pod that adds the address itself is not stopped.
func (p *Pod) AddAddress(ifname string, a netip.Prefix) error {
	p.fabric.build.Lock()
	defer p.fabric.build.Unlock()
	l := p.links[ifname]
	if l == nil {
		return addAddress(p.Namespace, ifname, a, p.fabric.opts.DAD)
	}
	return p.addLinkAddress(ifname, l, a)
}

func (p *Pod) addLinkAddress(ifname string, l *podLink, a netip.Prefix) error {
	if !p.fabric.Features.IPvlan {
		if err := p.fabric.unused(l, a); err != nil {
			return fmt.Errorf("device %s in %s: add address %s: %w", ifname, p.Namespace.Name, a, err)
		}
	}
	if err := addAddress(p.Namespace, ifname, a, p.fabric.opts.DAD); err != nil {
		return err
	}
	return p.route(ifname, l, a.Addr())
}

// unused does what ipvlan does before a device gets an address: it must be on
// none of the master's devices. What a device has already, to the letter, is
// left to the kernel to refuse.
// Source: Linux, ipvlan_addr4_validator_event.
func (f *Fabric) unused(by *podLink, a netip.Prefix) error {
	for _, p := range f.Pods() {
		for name, l := range p.links {
			if l.eni != by.eni {
				continue
			}
			err := withLink(p.Namespace, name, func(h *netlink.Handle, link netlink.Link) error {
				addrs, err := h.AddrList(link, netlink.FAMILY_ALL)
				if err != nil {
					return err
				}
				for _, have := range addrs {
					again := l == by && have.IPNet.String() == a.String()
					if have.IP.Equal(a.Addr().AsSlice()) && !again {
						return unix.EADDRINUSE
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// DelAddress takes an address away.
func (p *Pod) DelAddress(ifname string, a netip.Prefix) error {
	if err := delAddress(p.Namespace, ifname, a); err != nil {
		return err
	}
	p.fabric.build.Lock()
	defer p.fabric.build.Unlock()
	if l := p.links[ifname]; l != nil {
		return p.unroute(l, a.Addr())
	}
	return nil
}

func (p *Pod) addInterface(spec topology.Interface) error {
	e := p.fabric.byName[spec.ENI]
	switch {
	case e == nil:
		return fmt.Errorf("interface %s: there is no ENI %s", spec.Name, spec.ENI)
	case e.worker != p.worker.Name:
		return fmt.Errorf("interface %s: ENI %s is on worker %s, the pod is on %s", spec.Name, spec.ENI, e.worker, p.worker.Name)
	case p.links[spec.Name] != nil:
		return fmt.Errorf("interface %s: the pod has one of that name", spec.Name)
	}
	l := &podLink{eni: e, unplug: func() error { return nil }, number: p.interfaces, routed: make(map[bool]bool)}
	var err error
	if p.fabric.Features.IPvlan {
		err = p.addIPvlan(spec.Name, e)
	} else {
		l.unplug, err = p.addTap(spec.Name, e)
	}
	if err != nil {
		return fmt.Errorf("interface %s on ENI %s: %w", spec.Name, spec.ENI, err)
	}
	p.links[spec.Name] = l
	p.interfaces++
	if err := setUp(p.Namespace, spec.Name); err != nil {
		return err
	}
	for _, a := range spec.Addresses {
		if err := p.addLinkAddress(spec.Name, l, a); err != nil {
			return err
		}
	}
	return p.reach(spec.Name, l, spec.Routes)
}

func (p *Pod) addIPvlan(name string, e *eni) error {
	return withLink(p.worker.Namespace, e.device(), func(h *netlink.Handle, master netlink.Link) error {
		return h.LinkAdd(&netlink.IPVlan{
			LinkAttrs: netlink.LinkAttrs{
				Name: name, ParentIndex: master.Attrs().Index, Namespace: netlink.NsFd(p.FD()), TxQLen: -1,
			},
			Mode: netlink.IPVLAN_MODE_L2,
		})
	})
}

// addTap makes a further port of the ENI in the pod's own namespace.
func (p *Pod) addTap(name string, e *eni) (unplug func() error, err error) {
	t, err := openTap(p.Namespace, name, p.fabric.opts.MTU, e.mac())
	if err != nil {
		return nil, err
	}
	if p.fabric.ipv6 {
		if err := p.setLinkLocal(name, e); err != nil {
			return nil, errors.Join(err, t.Close())
		}
	}
	unplug, err = p.fabric.sw.Plug(e.spec.ID, vswitch.Slave, t)
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return unplug, nil
}

// setLinkLocal gives a tap a link-local address of its own. The kernel would
// derive the same one for every device with the ENI's MAC; for ipvlan it puts
// the device's number into the middle, and so does this.
func (p *Pod) setLinkLocal(name string, e *eni) error {
	err := p.Set(netspace.Sysctl{Key: "ipv6/conf/" + name + "/addr_gen_mode", Value: "1"})
	if err != nil {
		return err
	}
	p.worker.slaves++
	m, n := e.wire.MAC, p.worker.slaves
	return addAddress(p.Namespace, name, netip.PrefixFrom(netip.AddrFrom16([16]byte{
		0xfe, 0x80, 0, 0, 0, 0, 0, 0, m[0], m[1], m[2], byte(n >> 8), byte(n), m[3], m[4], m[5],
	}), 64), p.fabric.opts.DAD)
}

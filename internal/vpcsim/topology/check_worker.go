// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
)

// Sizes of delegated prefixes. Source: EC2 user guide, prefix delegation.
const (
	PrefixBitsIPv4 = 28
	PrefixBitsIPv6 = 80
)

// maxHopLimit is the most that EC2 allows. Source: ModifyInstanceMetadataOptions.
const maxHopLimit = 64

func (c *checker) worker(path string, w Worker) {
	c.name(path, w.Name, c.workers[w.Name])
	c.workers[w.Name] = true
	c.id(path+".id", "i", w.InstanceID)
	c.form(path+".type", w.Type, typeForm, "write an instance type such as m5.xlarge")
	if w.HopLimit < 1 || w.HopLimit > maxHopLimit {
		c.report(path+".hop-limit", fmt.Sprintf("%d is no hop limit", w.HopLimit), "write 1 to 64; 1 keeps pods from IMDS, 2 lets them in")
	}
	for name, n := range map[string]int{"ipv4-per-eni": w.IPv4PerENI, "ipv6-per-eni": w.IPv6PerENI, "max-enis": w.MaxENIs} {
		if n < 0 {
			c.report(path+"."+name, fmt.Sprintf("%d is negative", n), "leave it out to use the instance type's")
		}
	}
	if w.PodCIDR.IsValid() && c.canonical(path+".pod-cidr", w.PodCIDR) && !w.PodCIDR.Addr().Is4() {
		c.report(path+".pod-cidr", fmt.Sprintf("%s is not IPv4", w.PodCIDR), "write an IPv4 block such as 100.64.1.0/24")
	}
	switch {
	case w.Machine != MachineNamespace && w.Machine != MachineVM:
		c.report(path+".machine", fmt.Sprintf("%q is no kind of machine", w.Machine), "write vm, or namespace, or leave it out")
	case w.Machine == MachineVM && w.PodCIDR.IsValid():
		c.report(path+".pod-cidr", "a virtual machine gives its pods their addresses itself", "leave it out, or leave out machine: vm")
	}
	c.vms[w.Name] = w.Machine == MachineVM
	indexes := map[int]string{}
	zone := ""
	for i, e := range w.ENIs {
		p := at(path+".enis", i)
		if other, twice := indexes[e.Index]; twice {
			c.report(p+".index", fmt.Sprintf("the device index %d is that of %s", e.Index, other), "give each ENI of a worker its own")
		}
		indexes[e.Index] = e.Name
		c.eni(p, e, w.Name)
		s, ok := c.subnets[e.Subnet]
		switch {
		case !ok:
		case zone == "":
			zone = s.Zone
		case zone != s.Zone:
			c.report(p+".subnet", fmt.Sprintf("subnet %s is in zone %s, the worker in %s", s.Name, s.Zone, zone), "an instance's ENIs are all in its own zone: choose another subnet")
		}
	}
	if _, ok := indexes[0]; !ok {
		c.report(path+".enis", "the worker has no ENI with index 0", "add its primary ENI: {name: …, index: 0, subnet: …, ip: …}")
	}
}

func (c *checker) eni(path string, e ENI, worker string) {
	_, taken := c.enis[e.Name]
	c.name(path, e.Name, taken)
	if !taken {
		c.enis[e.Name] = owner{worker, path}
	}
	c.id(path+".id", "eni", e.ID)
	c.mac(path+".mac", e.MAC)
	if e.Index < 0 {
		c.report(path+".index", fmt.Sprintf("%d is negative", e.Index), "0 is the primary ENI, 1 the next")
	}
	s, ok := c.subnets[e.Subnet]
	if !ok {
		c.report(path+".subnet", fmt.Sprintf("there is no subnet %q", e.Subnet), "write the name of one of subnets")
		return
	}
	c.held(path+".ip", e.Name, e.IP, s, true)
	for i, a := range e.Secondary {
		c.held(at(path+".secondary", i), e.Name, a, s, true)
	}
	for i, a := range e.IPv6 {
		c.held(at(path+".ipv6", i), e.Name, a, s, false)
	}
	if e.PrimaryIPv6 && len(e.IPv6) == 0 {
		c.report(path+".primary-ipv6", "the ENI has no IPv6 address", "list one under ipv6; the first is the primary")
	}
	for i, p := range e.Prefixes {
		c.delegated(at(path+".prefixes", i), e.Name, p, s)
	}
}

// held reports an address that an ENI cannot have.
func (c *checker) held(path, eni string, a netip.Addr, s Subnet, v4 bool) {
	family := map[bool]string{true: "IPv4", false: "IPv6"}[v4]
	block := map[bool]netip.Prefix{true: s.CIDR, false: s.IPv6}[v4]
	switch {
	case !a.IsValid():
		c.report(path, "the address is missing", fmt.Sprintf("write an %s address of subnet %s (%s)", family, s.Name, block))
	case a.Is4() != v4:
		c.report(path, fmt.Sprintf("%s is not %s", a, family), "IPv4 goes under ip and secondary, IPv6 under ipv6")
	case !block.IsValid():
		c.report(path, fmt.Sprintf("subnet %s has no %s block", s.Name, family), "give the subnet one, or remove the address")
	case a.Zone() != "" || !block.Contains(a):
		c.report(path, fmt.Sprintf("%s is outside of subnet %s (%s)", a, s.Name, block), "write an address of that subnet")
	case s.Reserved(a):
		c.report(path, fmt.Sprintf("%s is one of the addresses of subnet %s that EC2 keeps for itself", a, s.Name), "the first four and the last are EC2's; take another")
	case c.addrs[a] != "":
		c.report(path, fmt.Sprintf("%s is already that of ENI %s", a, c.addrs[a]), "an address is on one ENI only")
	default:
		for _, h := range c.blocks {
			if h.prefix.Contains(a) {
				c.report(path, fmt.Sprintf("%s lies in the prefix %s of ENI %s", a, h.prefix, h.eni), "take an address outside of it")
			}
		}
		c.addrs[a] = eni
	}
}

// delegated reports a prefix that an ENI cannot have.
func (c *checker) delegated(path, eni string, p netip.Prefix, s Subnet) {
	if !c.canonical(path, p) {
		return
	}
	want, block := PrefixBitsIPv4, s.CIDR
	if !p.Addr().Is4() {
		want, block = PrefixBitsIPv6, s.IPv6
	}
	if p.Bits() != want || !Covers(block, p) {
		c.report(path, fmt.Sprintf("%s cannot be delegated to an ENI of subnet %s", p, s.Name), fmt.Sprintf("write a /%d block inside of %s", want, block))
		return
	}
	for _, h := range c.blocks {
		if h.prefix == p {
			c.report(path, fmt.Sprintf("%s is already that of ENI %s", p, h.eni), "a prefix is on one ENI only")
		}
	}
	for _, a := range slices.SortedFunc(maps.Keys(c.addrs), netip.Addr.Compare) {
		if p.Contains(a) {
			c.report(path, fmt.Sprintf("%s contains %s of ENI %s", p, a, c.addrs[a]), "take a block without addresses in use")
			break
		}
	}
	if s.Reserved(p.Addr()) || s.Reserved(LastAddr(p)) {
		c.report(path, fmt.Sprintf("%s contains addresses of subnet %s that EC2 keeps for itself", p, s.Name), "the first four and the last are EC2's; take another block")
	}
	c.blocks = append(slices.Clip(c.blocks), heldPrefix{p, eni})
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"fmt"
	"net/netip"
	"regexp"
)

// A checker finds what is inconsistent in a completed topology.
type checker struct {
	report func(path, text, cure string)

	subnets map[string]Subnet
	tables  map[string]bool
	workers map[string]bool
	vms     map[string]bool  // workers that are virtual machines
	enis    map[string]owner // by ENI name
	ids     map[string]string
	addrs   map[netip.Addr]string
	blocks  []heldPrefix
}

// owner is where an ENI is.
type owner struct{ worker, path string }

// heldPrefix is a delegated prefix and the ENI that has it.
type heldPrefix struct {
	prefix netip.Prefix
	eni    string
}

var (
	nameForm    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$`)
	idForm      = regexp.MustCompile(`^(vpc|subnet|rtb|i|eni)-([0-9a-f]{8}|[0-9a-f]{17})$`)
	regionForm  = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)
	accountForm = regexp.MustCompile(`^[0-9]{12}$`)
	typeForm    = regexp.MustCompile(`^[a-z0-9-]+\.[a-z0-9-]+$`)
)

func (c *checker) topology(t Topology) {
	c.subnets, c.tables, c.workers = map[string]Subnet{}, map[string]bool{}, map[string]bool{}
	c.vms = map[string]bool{}
	c.enis, c.ids, c.addrs = map[string]owner{}, map[string]string{}, map[netip.Addr]string{}

	c.form("region", t.Region, regionForm, "write a Region such as eu-central-1")
	c.form("account", t.Account, accountForm, "write 12 digits in quotes")
	c.vpc(t.VPC)
	for i, r := range t.RouteTables {
		p := at("route-tables", i)
		c.name(p, r.Name, c.tables[r.Name])
		c.tables[r.Name] = true
		c.id(p+".id", "rtb", r.ID)
	}
	for i, s := range t.Subnets {
		c.subnet(at("subnets", i), s, t)
	}
	if len(t.Subnets) == 0 {
		c.report("subnets", "there is no subnet", "describe at least one: {name: …, zone: …, cidr: …}")
	}
	for i, w := range t.Workers {
		c.worker(at("workers", i), w)
	}
	for i, r := range t.RouteTables {
		c.routes(at("route-tables", i)+".routes", r, t.VPC)
	}
	c.pods(t.Pods, t.EC2.Address.Addr())
	c.knobs(t)
}

func (c *checker) vpc(v VPC) {
	c.id("vpc.id", "vpc", v.ID)
	if len(v.CIDRs) == 0 {
		c.report("vpc.cidrs", "the VPC has no block", "write for example cidrs: [10.0.0.0/16]")
	}
	for i, p := range v.CIDRs {
		path := at("vpc.cidrs", i)
		if !c.canonical(path, p) {
			continue
		}
		for j, q := range v.CIDRs[:i] {
			if q.IsValid() && p.Overlaps(q) {
				c.report(path, fmt.Sprintf("%s overlaps %s of %s", p, q, at("vpc.cidrs", j)), "remove one of the two")
			}
		}
	}
}

// canonical reports a block that has bits set behind its prefix length.
func (c *checker) canonical(path string, p netip.Prefix) bool {
	switch {
	case !p.IsValid():
		c.report(path, "the block is missing", "write an address with its prefix length, such as 10.0.1.0/24")
		return false
	case p.Addr().Is4In6():
		c.report(path, fmt.Sprintf("%s is IPv4 in IPv6's clothes", p), "write it as IPv4")
		return false
	case p != p.Masked():
		c.report(path, fmt.Sprintf("%s has bits set behind its prefix length", p), "write "+p.Masked().String())
		return false
	}
	return true
}

// name reports a missing, malformed or repeated name.
func (c *checker) name(path, name string, taken bool) {
	switch {
	case name == "":
		c.report(path+".name", "the name is missing", "name it; others refer to it by that")
	case !nameForm.MatchString(name):
		c.report(path+".name", fmt.Sprintf("%q is not a name", name),
			"use up to 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit")
	case taken:
		c.report(path+".name", fmt.Sprintf("the name %q is already taken", name), "give each its own")
	}
}

// id reports a malformed or repeated id of EC2.
func (c *checker) id(path, kind, id string) {
	m := idForm.FindStringSubmatch(id)
	if m == nil || m[1] != kind {
		c.report(path, fmt.Sprintf("%q is not an id", id), fmt.Sprintf("write %s- and 17 (or 8) of 0-9a-f, or leave it out", kind))
		return
	}
	c.unique(path, id)
}

// unique reports an id or MAC that is there twice.
func (c *checker) unique(path, id string) {
	if other, twice := c.ids[id]; twice {
		c.report(path, fmt.Sprintf("%s is already at %s", id, other), "give each its own, or leave it out")
		return
	}
	c.ids[id] = path
}

func (c *checker) form(path, value string, form *regexp.Regexp, cure string) {
	if !form.MatchString(value) {
		c.report(path, fmt.Sprintf("%q cannot be right", value), cure)
	}
}

// at is the path of the i-th element of a list.
func at(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }

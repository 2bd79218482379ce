// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"fmt"
	"net"
	"net/netip"
	"time"
)

// maxInterfaceName is what Linux allows for a link's name (IFNAMSIZ - 1).
const maxInterfaceName = 15

// pods looks at the pods, which reach EC2 at an address of its own.
func (c *checker) pods(pods []Pod, ec2 netip.Addr) {
	names := map[string]bool{}
	type place struct {
		eni  string
		addr netip.Addr
	}
	taken := map[place]string{}
	for i, p := range pods {
		path := at("pods", i)
		c.name(path, p.Name, names[p.Name])
		names[p.Name] = true
		switch {
		case !c.workers[p.Worker]:
			c.report(path+".worker", fmt.Sprintf("there is no worker %q", p.Worker), "write the name of one of workers")
		case c.vms[p.Worker]:
			c.report(path+".worker", fmt.Sprintf("worker %s is a virtual machine", p.Worker), "start the pod inside of it, or leave out the worker's machine: vm")
		}
		links := map[string]bool{}
		for j, f := range p.Interfaces {
			at2 := at(path+".interfaces", j)
			c.link(at2+".name", f.Name, links[f.Name])
			links[f.Name] = true
			c.below(at2+".eni", f.ENI, p.Worker)
			for k, a := range f.Addresses {
				at3 := at(at2+".addresses", k)
				if !a.IsValid() || a.Addr().Is4In6() || !a.Addr().IsGlobalUnicast() {
					c.report(at3, fmt.Sprintf("%s is not an address of an interface", a), "write for example 10.0.1.100/24")
					continue
				}
				c.apart(at3, only(a.Addr()), ec2)
				at := place{f.ENI, a.Addr()}
				if other, twice := taken[at]; twice {
					c.report(at3, fmt.Sprintf("pod %s has %s on ENI %s already", other, a.Addr(), f.ENI),
						"ipvlan allows an address once per ENI; pods that share one must be on different ENIs")
				}
				taken[at] = p.Name
			}
			for k, r := range f.Routes {
				at3 := at(at2+".routes", k)
				if c.canonical(at3, r) {
					c.apart(at3, r, ec2)
				}
			}
		}
	}
}

// apart reports what would hide EC2 or IMDS from a pod.
func (c *checker) apart(path string, p netip.Prefix, ec2 netip.Addr) {
	switch {
	case p.Contains(IMDSAddress.Addr()):
		c.report(path, fmt.Sprintf("%s is where IMDS is", p), "choose another address")
	case p.Contains(ec2):
		c.report(path, fmt.Sprintf("%s hides EC2, which is at %s here", p, ec2), "choose another one, or write ec2: {address: …}")
	}
}

func only(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// link reports a name that an interface of a pod cannot have.
func (c *checker) link(path, name string, taken bool) {
	switch {
	case name == "eth0" || name == "lo":
		c.report(path, fmt.Sprintf("%s is there by itself", name), "list only what Multus adds, such as net1")
	case len(name) > maxInterfaceName || !nameForm.MatchString(name):
		c.report(path, fmt.Sprintf("%q is not the name of an interface", name), "use up to 15 letters and digits, such as net1")
	case taken:
		c.report(path, fmt.Sprintf("the pod has %s already", name), "give each interface its own name")
	}
}

// below reports an ENI that an interface of a pod on worker cannot be on.
func (c *checker) below(path, eni, worker string) {
	o, ok := c.enis[eni]
	switch {
	case !ok:
		c.report(path, fmt.Sprintf("there is no ENI %q", eni), "write the name of an ENI of the pod's worker")
	case c.workers[worker] && o.worker != worker:
		c.report(path, fmt.Sprintf("ENI %s is on worker %s, the pod on %s", eni, o.worker, worker), "choose an ENI of the pod's own worker")
	}
}

// mac reports an address that an ENI cannot have.
func (c *checker) mac(path, mac string) {
	hw, err := net.ParseMAC(mac)
	if err != nil || len(hw) != 6 || hw.String() != mac || hw[0]&1 == 1 {
		c.report(path, fmt.Sprintf("%q is not a MAC address", mac), "write six bytes with colons, such as \"02:00:00:00:00:01\", the first one even")
		return
	}
	c.unique(path, mac)
}

// minCredentialsLast leaves a second for each half of a life.
const minCredentialsLast = 2 * time.Second

func (c *checker) knobs(t Topology) {
	for path, d := range map[string]int64{
		"ec2.latency": int64(t.EC2.Latency), "ec2.jitter": int64(t.EC2.Jitter), "ec2.remap-delay": int64(t.EC2.RemapDelay),
		"ec2.remap-jitter": int64(t.EC2.RemapJitter), "imds.staleness": int64(t.IMDS.Staleness),
	} {
		if d < 0 {
			c.report(path, "a time cannot be negative", "write 0s or more")
		}
	}
	if d := t.IMDS.CredentialsLast; d != 0 && d < minCredentialsLast {
		c.report("imds.credentials-last", fmt.Sprintf("%s is too short", d), "write 2s or more; IMDS tells times in whole seconds")
	}
	for i, d := range t.EC2.Deny {
		path := at("ec2.deny", i)
		if len(d.Actions) == 0 {
			c.report(path+".actions", "no action is named", "write for example [AssignPrivateIpAddresses], or [\"*\"]")
		}
		if d.Worker != "" && !c.workers[d.Worker] {
			c.report(path+".worker", fmt.Sprintf("there is no worker %q", d.Worker), "write the name of one of workers")
		}
	}
}

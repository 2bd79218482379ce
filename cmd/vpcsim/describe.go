// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"text/tabwriter"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// describe prints what there is and how to use it.
func describe(w io.Writer, sim *vpcsim.Sim, opts vpcsim.Options) error {
	topo := sim.VPC.Topology()
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "The VPC is up, in Region %s.\n\n", topo.Region)
	fmt.Fprintln(t, "WORKER\tENI\tID\tDEVICE\tMAC\tSUBNET\tPRIMARY")
	for _, wk := range topo.Workers {
		for _, e := range wk.ENIs {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", wk.Name, e.Name, e.ID, device(wk, e), e.MAC, e.Subnet, e.IP)
		}
	}
	if len(topo.RouteTables) > 1 {
		fmt.Fprintln(t, "\nROUTE TABLE\tID\tSUBNETS")
		for _, r := range topo.RouteTables {
			fmt.Fprintf(t, "%s\t%s\t%s\n", r.Name, r.ID, orDash(subnetsOf(topo, r.Name)))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if sim.Fabric == nil {
		return describeLocal(w, sim, topo)
	}
	fmt.Fprintln(t, "\nPOD\tWORKER\tINTERFACE\tENI\tADDRESSES")
	for _, p := range topo.Pods {
		fmt.Fprintf(t, "%s\t%s\teth0\t-\t%s\n", p.Name, p.Worker, sim.Fabric.Pod(p.Name).IP)
		for _, i := range p.Interfaces {
			fmt.Fprintf(t, "\t\t%s\t%s\t%s\n", i.Name, i.ENI, join(i.Addresses))
		}
	}
	kind := "taps that switch as ipvlan does (this kernel has no ipvlan)"
	switch {
	case sim.Fabric.Features.IPvlan:
		kind = "ipvlan, mode l2"
	case opts.Fabric.NoIPvlan:
		kind = "taps that switch as ipvlan does"
	}
	fmt.Fprintf(t, "\nPods' interfaces\t%s\n", kind)
	fmt.Fprintf(t, "EC2\t%s from workers and pods\n", sim.EC2URL)
	fmt.Fprintf(t, "IMDS\thttp://%s from workers, and from pods as the hop limit allows\n", topology.IMDSAddress.Addr())
	if err := t.Flush(); err != nil {
		return err
	}
	if err := describeVMs(w, sim, topo, opts.Fabric.Prefix); err != nil {
		return err
	}
	return hints(w, sim, topo, opts.Fabric.Prefix)
}

// subnetsOf are the names of the subnets that follow a route table.
func subnetsOf(topo topology.Topology, table string) string {
	var names []string
	for _, s := range topo.Subnets {
		if s.RouteTable == table {
			names = append(names, s.Name)
		}
	}
	return strings.Join(names, " ")
}

// device is what an ENI is on its worker.
func device(wk topology.Worker, e topology.ENI) string {
	if wk.Machine == topology.MachineVM {
		return "NIC"
	}
	return fmt.Sprintf("eth%d", e.Index)
}

// describeVMs prints what to attach to virtual machines, a line for each NIC.
func describeVMs(w io.Writer, sim *vpcsim.Sim, topo topology.Topology, prefix string) error {
	for _, wk := range topo.Workers {
		if wk.Machine != topology.MachineVM {
			continue
		}
		_, err := fmt.Fprintf(w, "\n%s is a virtual machine. Start it with \"%s exec %[1]s -- linux.uml\" and these NICs:\n", wk.Name, self(prefix))
		if err != nil {
			return err
		}
		for _, n := range sim.Fabric.Worker(wk.Name).NICs() {
			if _, err := fmt.Fprintf(w, "  %s\n", n.UML()); err != nil {
				return err
			}
		}
	}
	return nil
}

func describeLocal(w io.Writer, sim *vpcsim.Sim, topo topology.Topology) error {
	fmt.Fprintf(w, "\nNo network was built. For a program on this machine:\n")
	for _, wk := range topo.Workers {
		fmt.Fprintf(w, "\n# as on %s\nexport %s\n", wk.Name, strings.Join(sim.Env(wk.Name), " "))
		fmt.Fprintf(w, "# IMDS: %s\n", sim.IMDSURL(wk.Name))
	}
	_, err := fmt.Fprintln(w, "\nCtrl-C ends it.")
	return err
}

// hints are commands to paste into another shell.
func hints(w io.Writer, sim *vpcsim.Sim, topo topology.Topology, prefix string) error {
	var from, to string
	var dst netip.Addr
	for _, p := range topo.Pods {
		for _, i := range p.Interfaces {
			if to == "" && len(i.Addresses) > 0 {
				to, dst = p.Name, i.Addresses[0].Addr()
			}
		}
		from = p.Name
	}
	if to == "" {
		_, err := fmt.Fprintln(w, "\nCtrl-C ends it.")
		return err
	}
	_, err := fmt.Fprintf(w, `
In another shell:
  %[5]s exec %[1]s -- ping %[3]s
  %[5]s drops
  %[5]s exec %[2]s -- registrar sidecar
  %[5]s calls
  %[5]s fault add --action 'Assign*' --code RequestLimitExceeded --count 3
  ip netns exec %[4]s ping %[3]s      (root)

Ctrl-C ends it.
`, from, to, dst, sim.Fabric.Pod(from).Namespace.Name, self(prefix))
	return err
}

// self is this program in another shell.
func self(prefix string) string {
	if prefix == fabric.DefaultPrefix {
		return "vpcsim"
	}
	return "vpcsim --prefix " + prefix
}

func join(all []netip.Prefix) string {
	texts := make([]string, len(all))
	for i, p := range all {
		texts[i] = p.String()
	}
	return strings.Join(texts, " ")
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"net/netip"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/vswitch"
)

func dropsCommand(s *settings) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "drops",
		Short: "Print what the VPC's network carried and dropped, and why",
		Long: `drops prints for each ENI how many packets it sent and was given, and which of
those it sent were dropped:

  unmapped      nobody owns the destination; ARP and neighbour solicitations count
  no-route      the destination is outside of the VPC, and the route table of the
                sender's subnet has no route to it
  blackhole     the route leads to an ENI that does not exist any more
  dest-check    the route leads to an ENI whose source/destination check is on
  source-check  the source is not assigned to the ENI that sent the packet
  unknown-mac   the frame's MAC is not the ENI's: macvlan, or a bridge
  multicast     a VPC carries neither multicast nor broadcast
  unplugged     the owner's worker is gone, or its link is down`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if asJSON {
				return printRaw(c, s.prefix, "drops")
			}
			var got struct{ Drops []vpcsim.Traffic }
			if err := ask(c.Context(), s.prefix, http.MethodGet, "drops", nil, &got); err != nil {
				return err
			}
			return printDrops(c, got.Drops)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func printDrops(c *cobra.Command, all []vpcsim.Traffic) error {
	t := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WORKER\tENI\tSENT\tDELIVERED\tDROPPED\tLAST\tWHY")
	for _, e := range all {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t\t\t\n", e.Worker, e.ENI, e.Sent, e.Delivered)
		for _, d := range e.Drops {
			fmt.Fprintf(t, "\t\t\t\t%d\t%s\t%s\n", d.Count, d.Last.Format("15:04:05.000"), why(e.ENI, d))
		}
	}
	return t.Flush()
}

// why is the reason of a drop with its cure.
func why(eni string, d vpcsim.Drop) string {
	path := fmt.Sprintf("%s → %s", orUnknown(d.Src), orUnknown(d.Dst))
	switch d.Reason {
	case vswitch.Unmapped:
		return fmt.Sprintf("%s: unmapped: %s is assigned to no ENI", path, d.Dst)
	case vswitch.NoRoute:
		return fmt.Sprintf("%s: no-route: no route of the subnet of %s leads to %s", path, eni, d.Dst)
	case vswitch.Blackhole:
		return fmt.Sprintf("%s: blackhole: the route to %s leads to an ENI that does not exist any more", path, d.Dst)
	case vswitch.DestCheck:
		return fmt.Sprintf("%s: dest-check: the ENI that the route to %s leads to has its source/destination check on", path, d.Dst)
	case vswitch.SourceCheck:
		return fmt.Sprintf("%s: source-check: %s is not assigned to %s", path, d.Src, eni)
	default:
		return fmt.Sprintf("%s: %s", path, d.Reason)
	}
}

func orUnknown(a netip.Addr) string {
	if !a.IsValid() {
		return "?"
	}
	return a.String()
}

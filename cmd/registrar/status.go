// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/control"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
)

// statusTimeout bounds a question to a process on the same machine.
const statusTimeout = 5 * time.Second

func statusCommand(env cli.Env) *cobra.Command {
	var dir, output string
	c := &cobra.Command{
		Use:   "status",
		Short: "Show every address, its ENI and how it stands",
		Long: `status asks the running sidecar how every address stands and prints a table, or
JSON with -o json. Run it in the registrar's container:

  kubectl exec POD -c multus-ip-registrar -- /registrar status

States: Pending (to be asked for), Assigning (asked), Assigned (EC2 delivers it),
Contested (another ENI holds it), Failed (refused; see the reason), Releasing,
Released.`,
	}
	stateDirFlag(c.Flags(), &dir)
	c.Flags().StringVarP(&output, "output", "o", "table", "`form`: table or json")
	check := func() []error {
		if output != "table" && output != "json" {
			return []error{fmt.Errorf("--output is %q: choose table or json", output)}
		}
		return nil
	}
	return cli.Strict(c, env, check, func(c *cobra.Command) error {
		ctx, cancel := context.WithTimeout(c.Context(), statusTimeout)
		defer cancel()
		doc, err := control.Status(ctx, dir)
		if err != nil {
			return err
		}
		if output == "json" {
			e := json.NewEncoder(c.OutOrStdout())
			e.SetIndent("", "  ")
			return e.Encode(doc)
		}
		return printTable(c.OutOrStdout(), doc, time.Now())
	})
}

func printTable(out io.Writer, doc control.Document, now time.Time) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "INTERFACE\tADDRESS\tENI\tSTATE\tSINCE\tREASON")
	for _, r := range doc.Addresses {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Interface, r.Address, orDash(place(r)), r.State, age(now, r.Since), orDash(why(r, now)))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	fmt.Fprintln(out)
	if doc.Ready {
		fmt.Fprintln(out, "Ready: every address is routed.")
	} else {
		fmt.Fprintln(out, "Not ready:")
		for _, s := range doc.Waiting {
			fmt.Fprintln(out, "  "+s)
		}
	}
	for _, s := range doc.Warnings {
		fmt.Fprintln(out, "Warning:", s)
	}
	if doc.StateFile != "" {
		fmt.Fprintln(out, "State file:", doc.StateFile)
	}
	_, err := fmt.Fprintf(out, "registrar %s, %s, running for %s\n", doc.Version, doc.Mode, age(now, doc.Started))
	return err
}

// place is where the address is to be: on an ENI, or routed to it.
func place(r ledger.Row) string {
	if r.RouteTable == "" {
		return r.ENI
	}
	return r.RouteTable + "→" + r.ENI
}

func why(r ledger.Row, now time.Time) string {
	s := string(r.Code)
	if r.Owner != "" {
		s += " by " + r.Owner
	}
	if r.Retry != nil && r.Retry.After(now) && s != "" {
		s += ", again in " + r.Retry.Sub(now).Round(100*time.Millisecond).String()
	}
	return s
}

func age(now, since time.Time) string { return max(0, now.Sub(since)).Round(time.Second).String() }

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

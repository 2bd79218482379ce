// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
)

// A fault is what befalls EC2 calls, as the admin API reads it.
type fault struct {
	ID         int    `json:"id,omitempty"`
	Hits       int    `json:"hits,omitempty"`
	Action     string `json:"action,omitempty"`
	ENI        string `json:"eni,omitempty"`
	RouteTable string `json:"routeTable,omitempty"`
	Address    string `json:"address,omitempty"`
	Worker     string `json:"worker,omitempty"`
	Code       string `json:"code,omitempty"`
	Message    string `json:"message,omitempty"`
	Drop       string `json:"drop,omitempty"`
	Delay      string `json:"delay,omitempty"`
	Count      int    `json:"count,omitempty"`
	For        string `json:"for,omitempty"`
	Spare      int    `json:"spare,omitempty"`
}

// An imdsChange is what is to be different about a worker's IMDS.
type imdsChange struct {
	Down      *bool   `json:"down,omitempty"`
	Blocked   *bool   `json:"blocked,omitempty"`
	Staleness *string `json:"staleness,omitempty"`
	HopLimit  *int    `json:"hopLimit,omitempty"`
}

func faultCommand(s *settings) *cobra.Command {
	c := &cobra.Command{
		Use:   "fault",
		Short: "Make EC2 or IMDS of a running VPC fail",
		Long:  "fault makes EC2 calls fail, hang or vanish, and IMDS stale or unreachable.",
	}
	return cli.Group(c, faultAddCommand(s), faultListCommand(s), faultClearCommand(s), faultIMDSCommand(s))
}

func faultAddCommand(s *settings) *cobra.Command {
	var f fault
	var delay, lasting time.Duration
	c := &cobra.Command{
		Use:   "add",
		Short: "Make EC2 calls fail from now on",
		Example: `  vpcsim fault add --action 'Assign*' --code RequestLimitExceeded --count 3
  vpcsim fault add --worker worker1 --code UnauthorizedOperation
  vpcsim fault add --eni w1-sig --drop after --count 1
  vpcsim fault add --delay 5s --for 1m`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if delay != 0 {
				f.Delay = delay.String()
			}
			if lasting != 0 {
				f.For = lasting.String()
			}
			var got struct{ ID int }
			if err := ask(c.Context(), s.prefix, http.MethodPost, "faults", f, &got); err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "fault %d; end it with \"vpcsim fault clear %d\"\n", got.ID, got.ID)
			return err
		},
	}
	p := c.Flags()
	p.StringVar(&f.Action, "action", "", "EC2 action, * and ? match (default all)")
	p.StringVar(&f.ENI, "eni", "", "only calls that name this ENI, by id or name")
	p.StringVar(&f.RouteTable, "route-table", "", "only calls that change this route table, by id or name")
	p.StringVar(&f.Address, "address", "", "only calls that name this address")
	p.StringVar(&f.Worker, "worker", "", "only calls by this worker's instance role")
	p.StringVar(&f.Code, "code", "", "answer with this EC2 error code instead of doing the work")
	p.StringVar(&f.Message, "message", "", "the error's message (default what EC2 sends with the code)")
	p.StringVar(&f.Drop, "drop", "", "close the connection without an answer: before or after the work is done")
	p.DurationVar(&delay, "delay", 0, "answer this much later")
	p.IntVar(&f.Count, "count", 0, "befall only so many calls (default all)")
	p.DurationVar(&lasting, "for", 0, "end after this time (default never)")
	p.IntVar(&f.Spare, "spare", 0, "let one call of so many go by: 10 befalls nine calls of ten (default none)")
	return c
}

func faultListCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "Print the faults that are not over",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			var got struct{ Faults []fault }
			if err := ask(c.Context(), s.prefix, http.MethodGet, "faults", nil, &got); err != nil {
				return err
			}
			t := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "ID\tACTION\tENI\tTABLE\tADDRESS\tWORKER\tCODE\tDROP\tDELAY\tHITS\tCOUNT")
			for _, f := range got.Faults {
				fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\n", f.ID, orDash(f.Action), orDash(f.ENI), orDash(f.RouteTable), orDash(f.Address),
					orDash(f.Worker), orDash(f.Code), orDash(f.Drop), orDash(f.Delay), f.Hits, f.Count)
			}
			return t.Flush()
		},
	}
}

func faultClearCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "clear [ID…]",
		Short: "End faults, or all of them",
		Args: func(_ *cobra.Command, args []string) error {
			var errs []error
			for _, a := range args {
				if _, err := strconv.Atoi(a); err != nil {
					errs = append(errs, fmt.Errorf("%q is not a fault's number; \"vpcsim fault list\" prints them", a))
				}
			}
			if err := errors.Join(errs...); err != nil {
				return cli.UsageError{Err: err}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return ask(c.Context(), s.prefix, http.MethodDelete, "faults", nil, nil)
			}
			var errs []error
			for _, id := range args {
				errs = append(errs, ask(c.Context(), s.prefix, http.MethodDelete, "faults/"+id, nil, nil))
			}
			return errors.Join(errs...)
		},
	}
}

func faultIMDSCommand(s *settings) *cobra.Command {
	var down, blocked bool
	var stale time.Duration
	var hops int
	c := &cobra.Command{
		Use:   "imds WORKER",
		Short: "Change how a worker's IMDS behaves; flags that are not given stay",
		Example: `  vpcsim fault imds worker1 --blocked         connections time out
  vpcsim fault imds worker1 --blocked=false
  vpcsim fault imds worker1 --hop-limit 1     tokens do not reach pods
  vpcsim fault imds worker1 --staleness 60s   address lists of a minute ago`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.UsageError{Err: errors.New("name one worker: vpcsim fault imds WORKER")}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			var change imdsChange
			set := c.Flags().Changed
			if set("down") {
				change.Down = &down
			}
			if set("blocked") {
				change.Blocked = &blocked
			}
			if set("hop-limit") {
				change.HopLimit = &hops
			}
			if set("staleness") {
				text := stale.String()
				change.Staleness = &text
			}
			var raw []byte
			if err := ask(c.Context(), s.prefix, http.MethodPatch, "imds/"+args[0], change, &raw); err != nil {
				return err
			}
			_, err := c.OutOrStdout().Write(raw)
			return err
		},
	}
	p := c.Flags()
	p.BoolVar(&down, "down", false, "connections are closed without an answer")
	p.BoolVar(&blocked, "blocked", false, "connections time out")
	p.DurationVar(&stale, "staleness", 0, "how far the address lists lie in the past")
	p.IntVar(&hops, "hop-limit", 0, "IP TTL of the answer to a token request: 1 keeps pods out")
	return c
}

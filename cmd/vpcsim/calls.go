// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// A call is a line of the log of EC2 calls, as the admin API writes it.
type call struct {
	Time      time.Time `json:"time"`
	Action    string    `json:"action"`
	Worker    string    `json:"worker"`
	ENI       string    `json:"eni"`
	Addresses []string  `json:"addresses"`
	Done      bool      `json:"done"`
	Code      string    `json:"code"`
	Message   string    `json:"message"`
	Duration  string    `json:"duration"`
}

func callsCommand(s *settings) *cobra.Command {
	var actions []string
	var asJSON, clear bool
	c := &cobra.Command{
		Use:   "calls",
		Short: "Print what a running VPC's EC2 was asked, oldest first",
		Long: `calls prints the log of EC2 calls: when, from which worker's role, what for, and
what EC2 answered.`,
		Example: `  vpcsim calls
  vpcsim calls --action 'Assign*'
  vpcsim calls --clear`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			path := "calls?" + url.Values{"action": actions}.Encode()
			switch {
			case clear:
				return ask(c.Context(), s.prefix, http.MethodDelete, "calls", nil, nil)
			case asJSON:
				return printRaw(c, s.prefix, path)
			}
			var got struct{ Calls []call }
			if err := ask(c.Context(), s.prefix, http.MethodGet, path, nil, &got); err != nil {
				return err
			}
			return printCalls(c, got.Calls)
		},
	}
	c.Flags().StringArrayVar(&actions, "action", nil, "only these EC2 actions; * and ? match; may be repeated")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, with all parameters")
	c.Flags().BoolVar(&clear, "clear", false, "empty the log instead")
	return c
}

func printCalls(c *cobra.Command, calls []call) error {
	t := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TIME\tWORKER\tACTION\tENI\tADDRESSES\tTOOK\tANSWER")
	for _, l := range calls {
		answer := "ok"
		switch {
		case !l.Done:
			answer, l.Duration = "(under way)", ""
		case l.Code != "":
			answer = l.Code + ": " + l.Message
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Time.Format("15:04:05.000"), orDash(l.Worker), l.Action,
			orDash(l.ENI), orDash(strings.Join(l.Addresses, " ")), l.Duration, answer)
	}
	return t.Flush()
}

func printRaw(c *cobra.Command, prefix, path string) error {
	var raw []byte
	if err := ask(c.Context(), prefix, http.MethodGet, path, nil, &raw); err != nil {
		return err
	}
	_, err := c.OutOrStdout().Write(raw)
	return err
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

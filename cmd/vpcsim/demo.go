// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/demo"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/sandbox"
)

// readingTime is the pause after each chapter for a person at a terminal.
const readingTime = time.Second

// demoFlags are those of demo.
type demoFlags struct {
	prefix    string
	registrar string
	jsonFile  string
	noColor   bool
	keep      bool
}

func demoCommand(s *settings) *cobra.Command {
	var d demoFlags
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show what the registrar does, on a VPC made for it",
		Long: `demo tells a story and measures it while it happens: pods with Multus addresses
that EC2 has never heard of cannot reach one another; the registrar runs in them;
the same pods reach one another; a floating IPv4 and IPv6 address fails over from
an active to a standby pod by hand-over, to a pod in another zone, back because
that zone lost its power, and to the standby because a worker lost its power; a
lost pod comes back on another worker; everything is given back.

It makes a VPC with three workers in two zones and five pods (up does the same for
a file of yours), and runs the real program "registrar" in the pods. Nothing reaches AWS.
Each step is checked: the last line is "All as expected", or says what was not.

  left column       milliseconds since the start
  lost              of the 1,000 packets a second that the client wanted answered
  longest gap       the client's longest time without an answer
  EC2's ok after    from the address' appearance in the pod's kernel to EC2's answer
  of that EC2       while EC2 had a call in hand; the rest is the registrar's

It takes about 20 seconds on a terminal, with time to read, and half of that
elsewhere. However it ends, also by Ctrl-C, no process and no namespace is left.

It needs root, or a user who may make user namespaces and open /dev/net/tun.

Exit codes: 0 all as expected, 1 something was not, or could not start, 2 wrong
usage.`,
		Example: `  vpcsim demo
  vpcsim demo --json figures.json
  vpcsim demo --keep             then play with the VPC from another shell`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			d.prefix = s.prefix
			return runDemo(c, d)
		},
	}
	f := c.Flags()
	f.StringVar(&d.registrar, "registrar", "", "the `path` of the program registrar (default: beside this program)")
	f.StringVar(&d.jsonFile, "json", "", "write the figures to this `file`, as JSON")
	f.BoolVar(&d.noColor, "no-color", false, "print no colours; they are used on terminals only, unless NO_COLOR is set")
	f.BoolVar(&d.keep, "keep", false, "leave the VPC up after the story until Ctrl-C, and print commands to play with")
	return c
}

func runDemo(c *cobra.Command, d demoFlags) error {
	if err := d.complete(); err != nil {
		return err
	}
	// As root, what is kept must be where "ip netns" and "vpcsim exec" look.
	if d.keep && os.Geteuid() == 0 && !sandbox.Inside() {
		return d.tell(c.Context(), c.OutOrStdout())
	}
	findable := ""
	if d.keep {
		findable = d.prefix
	}
	return inSandbox(findable, func() error { return d.tell(c.Context(), c.OutOrStdout()) })
}

// complete finds the registrar and judges the flags.
func (d *demoFlags) complete() error {
	if err := netspace.CheckPrefix(d.prefix); err != nil {
		return cli.UsageError{Err: err}
	}
	if d.jsonFile != "" {
		path, err := filepath.Abs(d.jsonFile)
		if err != nil {
			return fmt.Errorf("find the place of --json: %w", err)
		}
		if strings.HasPrefix(path, "/run/") || strings.HasPrefix(path, "/var/run/") {
			return cli.UsageError{Err: fmt.Errorf("--json %s: the demo has a /run of its own, which goes with it; choose another directory", d.jsonFile)}
		}
		d.jsonFile = path
	}
	given := d.registrar != ""
	if !given {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find the registrar: %w", err)
		}
		d.registrar = filepath.Join(filepath.Dir(self), "registrar")
	}
	path, err := filepath.Abs(d.registrar)
	if err == nil {
		d.registrar = path
		err = unix.Access(path, unix.X_OK)
	}
	switch {
	case err != nil && given:
		return cli.UsageError{Err: fmt.Errorf("--registrar %s cannot be run: %w", d.registrar, err)}
	case err != nil:
		return fmt.Errorf("there is no program %s to demonstrate (%w): run \"make build\", or name it with --registrar PATH", d.registrar, err)
	}
	return nil
}

// tell runs the demo where namespaces can be made.
func (d *demoFlags) tell(ctx context.Context, out io.Writer) error {
	terminal := isTerminal(out)
	opts := demo.Options{
		Registrar: d.registrar, Prefix: d.prefix, Out: out,
		Color: terminal && !d.noColor && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
	}
	if terminal {
		opts.Pause = readingTime
	}
	if d.keep {
		opts.Keep = func(ctx context.Context, sim *vpcsim.Sim) { playground(ctx, out, sim, *d) }
	}
	report, err := demo.Run(ctx, opts)
	if d.jsonFile == "" {
		return err
	}
	text, errJSON := json.MarshalIndent(report, "", "  ")
	if errJSON == nil {
		errJSON = os.WriteFile(d.jsonFile, append(text, '\n'), 0o644)
	}
	if errJSON != nil {
		err = errors.Join(err, fmt.Errorf("write the figures: %w", errJSON))
	}
	return err
}

// playground says what can be done with the VPC, and waits for the end.
func playground(ctx context.Context, out io.Writer, sim *vpcsim.Sim, d demoFlags) {
	run := "vpcsim"
	if self, err := os.Executable(); err == nil {
		run = near(self)
	}
	if d.prefix != fabric.DefaultPrefix {
		run += " --prefix " + d.prefix
	}
	fmt.Fprintf(out, `
The VPC stays up, without worker1 and without a registrar. In another shell%[1]s:

  # silence: nobody has told EC2 of standby's addresses
  %[2]s exec client -- ping 10.0.1.101

  # now it answers
  %[2]s exec standby -- %[3]s sidecar --state-dir "$(mktemp -d)"

  # a new floating address: EC2 is told at once
  %[2]s exec standby -- ip addr add 10.0.1.201/32 dev net1
  %[2]s exec client -- ping 10.0.1.201

  # what EC2 was asked, and what the VPC dropped
  %[2]s calls
  %[2]s drops
`, asWhom(), run, near(d.registrar))
	if !sandbox.Inside() {
		fmt.Fprintf(out, "\n  # without vpcsim\n  ip netns exec %s ping 10.0.1.101\n", sim.Fabric.Pod("client").Namespace.Name)
	}
	fmt.Fprintln(out, "\nCtrl-C ends it.")
	<-ctx.Done()
}

// near is a path as somebody in this directory would write it.
func near(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(short) {
		return short
	}
	return path
}

// asWhom says who may enter the VPC.
func asWhom() string {
	if sandbox.Inside() {
		return ", as the same user"
	}
	return ", as root"
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

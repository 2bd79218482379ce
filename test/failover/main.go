// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/proc"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/sandbox"
	"github.com/multus-ip-registrar/multus-ip-registrar/test/measured"
)

func main() {
	var o options
	out := flag.String("out", "out", "directory for failover.json, failover.svg and the containers' logs")
	only := flag.String("only", ".", "run the scenarios whose name this regular expression matches")
	short := flag.Bool("short", false, "run the short form")
	page := flag.String("page", "", "write the figures between the marks of this Markdown file, too")
	flag.StringVar(&o.registrar, "registrar", "bin/registrar", "the program to measure")
	flag.Parse()
	os.Exit(sandbox.Program("failover", func(ctx context.Context) error { return all(ctx, o, *out, *only, *page, *short) }))
}

// options are the same for all scenarios.
type options struct {
	registrar  string
	keepalived string
	// keepalivedConf is keepalived's configuration for both pods.
	keepalivedConf string
	// sidecar are further arguments of the registrar.
	sidecar []string
	// logs is a directory for the containers' logs; "" is none.
	logs string
}

// prepare finds what is to be run; root is the repository's.
func (o *options) prepare(root string) (err error) {
	if o.registrar, err = proc.Registrar(o.registrar); err != nil {
		return err
	}
	// A user's PATH need not have it.
	for _, name := range []string{"keepalived", "/usr/sbin/keepalived", "/sbin/keepalived"} {
		if o.keepalived, err = exec.LookPath(name); err == nil {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("find keepalived (scripts/deps.sh failover installs it): %w", err)
	}
	o.keepalivedConf, err = readExample(filepath.Join(root, exampleFile))
	return err
}

// all runs the scenarios one after the other, so that none disturbs another.
func all(ctx context.Context, o options, out, only, page string, short bool) error {
	name, err := regexp.Compile(only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	if err := o.prepare("."); err != nil {
		return err
	}
	o.logs = filepath.Join(out, "failover")
	var chosen []scenario
	for _, sc := range matrix() {
		if name.MatchString(sc.name) && (sc.short || !short) {
			chosen = append(chosen, sc)
		}
	}
	if len(chosen) == 0 {
		return fmt.Errorf("-only %s matches no scenario", only)
	}
	rep := report{Machine: measured.By("make failover")}
	began := time.Now()
	var errs []error
	for i, sc := range chosen {
		fmt.Fprintf(os.Stderr, "%2d/%d %-24s %s … ", i+1, len(chosen), sc.name, sc.what)
		r, err := run(ctx, sc, o)
		if err != nil {
			fmt.Fprintln(os.Stderr)
			errs = append(errs, err) // what was measured is told all the same
			break
		}
		fmt.Fprintln(os.Stderr, r.verdict())
		rep.Results = append(rep.Results, r)
	}
	rep.Took = Millis(time.Since(began))
	printTable(os.Stdout, rep)
	errs = append(errs, measured.WriteJSON(filepath.Join(out, "failover.json"), rep),
		measured.WriteFile(filepath.Join(out, "failover.svg"), picture(rep)))
	if page != "" && len(rep.Results) == len(chosen) {
		errs = append(errs, writePage(page, rep))
	}
	return errors.Join(append(errs, wrong(rep))...)
}

// wrong names the scenarios that did not end as they must. A missed goal is
// told, and is no failure.
func wrong(rep report) error {
	var errs []error
	for _, r := range rep.Results {
		if !r.Right {
			errs = append(errs, fmt.Errorf("%s: %v", r.Name, r.Wrong))
		}
	}
	return errors.Join(errs...)
}

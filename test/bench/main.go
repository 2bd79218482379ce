// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Command bench measures the registrar on the embedded VPC (the built program
// in a pod, real netlink, the real SDK over HTTP), and the webhook. It prints
// each figure beside its goal and a peer's, and writes them as JSON.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/proc"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/sandbox"
	"github.com/multus-ip-registrar/multus-ip-registrar/test/measured"
)

func main() {
	var o options
	flag.StringVar(&o.out, "out", "out/bench.json", "file for the figures")
	flag.StringVar(&o.only, "only", "", "measure only what begins with this: reaction, start, calls, refusal, idle, warm, size or webhook")
	flag.StringVar(&o.registrar, "registrar", "bin/registrar", "the program to measure")
	flag.IntVar(&o.reactions, "reactions", 300, "how many addresses to add and remove")
	flag.IntVar(&o.starts, "starts", 30, "how often to start init")
	flag.IntVar(&o.rounds, "rounds", 5, "how often to use each standby after a long wait")
	flag.DurationVar(&o.idle, "idle", 60*time.Second, "how long to watch the idle sidecar")
	flag.Parse()
	os.Exit(sandbox.Program("bench", func(ctx context.Context) error { return run(ctx, o) }))
}

type options struct {
	out, registrar    string
	only              string
	reactions, starts int
	rounds            int
	idle              time.Duration
}

// run measures everything, one after the other, so that nothing disturbs.
func run(ctx context.Context, o options) error {
	var err error
	if o.registrar, err = proc.Registrar(o.registrar); err != nil {
		return err
	}
	var figures []figure
	for _, m := range []struct {
		what    string
		remote  *vpcsim.Remote
		measure measurement
	}{
		{"reaction: adding and removing addresses", nil, reaction},
		{"start: starting init again and again", nil, start},
		{"calls: a pod with two ENIs, and a failover", nil, calls},
		{"refusal: init while EC2 refuses", nil, refusal},
		// As far away as in a Region: what is kept warm costs CPU time.
		{"idle: watching a sidecar that has nothing to do", &vpcsim.Remote{RoundTrip: 2 * time.Millisecond}, idle},
	} {
		if !strings.HasPrefix(m.what, o.only) {
			continue
		}
		fmt.Fprintln(os.Stderr, m.what)
		got, err := inLab(ctx, o, m.remote, m.measure)
		if err != nil {
			return fmt.Errorf("%s: %w", m.what, err)
		}
		figures = append(figures, got...)
	}
	for _, m := range []struct {
		what    string
		measure func(context.Context, options) ([]figure, error)
	}{
		{"warm: the first calls of standbys, after long waits", warm},
		{"size: the binary", binarySize},
		{"webhook: deciding, patching, and admissions over TLS", webhook},
	} {
		if !strings.HasPrefix(m.what, o.only) {
			continue
		}
		fmt.Fprintln(os.Stderr, m.what)
		got, err := m.measure(ctx, o)
		if err != nil {
			return fmt.Errorf("%s: %w", m.what, err)
		}
		figures = append(figures, got...)
	}
	printTable(os.Stdout, figures)
	return errors.Join(measured.WriteJSON(o.out, figures), missed(figures))
}

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
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/sandbox"
)

func main() {
	var o options
	flag.StringVar(&o.out, "out", "out/bench.json", "file for the figures")
	flag.StringVar(&o.registrar, "registrar", "bin/registrar", "the program to measure")
	flag.IntVar(&o.reactions, "reactions", 300, "how many addresses to add and remove")
	flag.IntVar(&o.starts, "starts", 30, "how often to start init")
	flag.DurationVar(&o.idle, "idle", 60*time.Second, "how long to watch the idle sidecar")
	flag.Parse()
	code, err := sandbox.Run(sandbox.Options{}, func() int {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		if err := run(ctx, o); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			return 1
		}
		return 0
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	os.Exit(code)
}

type options struct {
	out, registrar    string
	reactions, starts int
	idle              time.Duration
}

// run measures everything, one after the other, so that nothing disturbs.
func run(ctx context.Context, o options) error {
	var err error
	if o.registrar, err = filepath.Abs(o.registrar); err != nil {
		return fmt.Errorf("find the registrar: %w", err)
	}
	if _, err := os.Stat(o.registrar); err != nil {
		return fmt.Errorf("find the registrar (make build makes it): %w", err)
	}
	var figures []figure
	for _, m := range []struct {
		what    string
		measure func(context.Context, *lab, options) ([]figure, error)
	}{
		{"reaction: adding and removing addresses", reaction},
		{"start: starting init again and again", start},
		{"calls: a pod with two ENIs, and a failover", calls},
		{"refusal: init while EC2 refuses", refusal},
		{"idle: watching a sidecar that has nothing to do", idle},
	} {
		fmt.Fprintln(os.Stderr, m.what)
		got, err := inLab(ctx, o, m.measure)
		if err != nil {
			return fmt.Errorf("%s: %w", m.what, err)
		}
		figures = append(figures, got...)
	}
	size, err := binarySize(o)
	if err != nil {
		return err
	}
	figures = append(figures, size)
	fmt.Fprintln(os.Stderr, "webhook: deciding, patching, and admissions over TLS")
	admissions, err := webhook(ctx)
	if err != nil {
		return err
	}
	figures = append(figures, admissions...)
	printTable(os.Stdout, figures)
	return errors.Join(writeJSON(o.out, figures), missed(figures))
}

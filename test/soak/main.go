// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Command soak lets the built registrar work in pods of the embedded VPC for a
// while, under random hand-overs, kills and faults, judges every call by the
// laws of claims, and looks whether it keeps its size. It exits non-zero when a
// law was broken, EC2 is not what the kernels are in the end, or a process grew.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/proc"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/sandbox"
)

type options struct {
	registrar string
	lasts     time.Duration
	seed      uint64
}

func main() {
	var o options
	flag.StringVar(&o.registrar, "registrar", "bin/registrar", "the program to soak")
	flag.DurationVar(&o.lasts, "for", 30*time.Minute, "how long things happen; calming down takes some minutes more")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "what happens, and when")
	flag.Parse()
	os.Exit(sandbox.Program("soak", func(ctx context.Context) error { return run(ctx, o) }))
}

// roundLasts is how long things happen before the lab may calm down, and is
// judged and measured.
const roundLasts = 2 * time.Minute

func run(ctx context.Context, o options) (err error) {
	if o.registrar, err = proc.Registrar(o.registrar); err != nil {
		return err
	}
	l, err := newLab(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	fmt.Printf("seed %d, %v\n", o.seed, o.lasts)
	l.rng = rand.New(rand.NewPCG(o.seed, 1))
	var sizes []map[string]size
	for began := time.Now(); time.Since(began) < o.lasts && ctx.Err() == nil; {
		left := o.lasts - time.Since(began)
		if err := l.disturb(ctx, min(left, roundLasts, o.lasts/3)); err != nil {
			return err
		}
		if err := l.settle(ctx); err != nil {
			return err
		}
		now, err := l.sizes()
		if err != nil {
			return err
		}
		sizes = append(sizes, now)
		count, breaches := l.audit.Result()
		fmt.Printf("%v: %+v, %d deeds, sizes %v\n", time.Since(began).Round(time.Second), count, l.deeds, now)
		for _, b := range breaches {
			err = errors.Join(err, errors.New(b))
		}
		if err != nil {
			return fmt.Errorf("%w\n%s", err, l.tell())
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := errors.Join(l.idles(ctx), grew(sizes), l.end(ctx)); err != nil {
		return err
	}
	fmt.Println("no law was broken, EC2 was what the kernels were after each round, nobody asked EC2 for anything while idle, no process grew, nothing was left behind")
	return nil
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Command registrar makes the addresses of a pod's Multus interfaces routable
// in the VPC: it is the program of the injected container.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	code := run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

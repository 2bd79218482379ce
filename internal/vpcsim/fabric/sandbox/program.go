// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Program does a program's work in a sandbox and returns its exit code. SIGINT
// and SIGTERM end the context. What goes wrong is told behind the program's name.
func Program(name string, work func(context.Context) error) int {
	code, err := Run(Options{}, func() int {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		if err := work(ctx); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			return 1
		}
		return 0
	})
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	}
	return code
}

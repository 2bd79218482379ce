// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
)

// Print the usable addresses of all interfaces whenever one changes.
func ExampleWatcher_Watch() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	w, err := netwatch.Open(netwatch.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer w.Close()
	_ = w.Watch(ctx, func(s netwatch.Snapshot) { // nil when ctx ends
		for _, i := range s.Interfaces {
			fmt.Println(i.Name, i.Kind, i.MAC, i.Prefixes)
		}
	})
}

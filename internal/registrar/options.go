// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package registrar

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/control"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
)

// A Cloud is EC2 and IMDS; *eniassign.Client is one.
type Cloud interface {
	Inventory(ctx context.Context, macs []string) (eniassign.Inventory, error)
	Describe(ctx context.Context, enis []string) ([]eniassign.ENI, error)
	Hint(ctx context.Context, e eniassign.ENI) (eniassign.ENI, error)
	Do(ctx context.Context, c eniassign.Call) []eniassign.Outcome
	Holders(ctx context.Context, about eniassign.ENI, addrs []netip.Addr) (map[netip.Addr]eniassign.Holder, error)
	Routes(ctx context.Context, tables []string, addrs []netip.Addr) ([]eniassign.Route, error)
	ProbeRoute(ctx context.Context, c eniassign.Call) *eniassign.Reason
}

// A Watcher tells the namespace's addresses, the first time at once, until ctx
// ends; *netwatch.Watcher is one.
type Watcher interface {
	Watch(ctx context.Context, emit func(netwatch.Snapshot)) error
}

// A Store keeps records over a restart; *state.File is one.
type Store interface {
	Load() ([]ledger.Record, error)
	Save([]ledger.Record) error
}

// Siblings are the registrars of other pods on the same ENI.
type Siblings interface {
	// Follow tells the interfaces on which they are talked to.
	Follow([]netwatch.Interface)
	// Say tells them something. It does not wait, and may get lost.
	Say(ledger.Saying)
	// Listen hands over what they say until ctx ends.
	Listen(ctx context.Context, heard func(ledger.Saying))
}

// A Pod is what its annotations tell while it runs.
type Pod struct {
	// DefaultInterfaces are the names that its cluster interface may have.
	DefaultInterfaces []string
	Floating          ledger.Floating
}

// An Observer counts what happens. Its methods are called from one goroutine.
type Observer interface {
	// Decided tells one decision.
	Decided(ledger.Event)
	// Reacted tells the time from the kernel's notification until the call for
	// the address was handed to the EC2 client.
	Reacted(time.Duration)
	// Stands tells how many addresses are in each state, and whether all are routed.
	Stands(byState map[ledger.State]int, ready bool)
}

// Options are what a Registrar is made of. All of it is needed but Siblings,
// Observer, Follow and Publish.
type Options struct {
	// Version and Mode are told in the status document.
	Version, Mode string
	Ledger        ledger.Config
	Watcher       Watcher
	Cloud         Cloud
	Store         Store
	Log           *slog.Logger
	// Rand gives numbers in [0, 1) for the jitter.
	Rand     func() float64
	Observer Observer
	Siblings Siblings
	// Follow, where there is one, tells what the pod's annotations say, at once
	// and whenever they change, until ctx ends.
	Follow func(ctx context.Context, emit func(Pod)) error
	// Publish is given the status document after every change.
	Publish func(control.Document)
	// ShutdownTimeout bounds the releases after ctx has ended (law 5). It must
	// be shorter than the pod's grace period.
	ShutdownTimeout time.Duration
}

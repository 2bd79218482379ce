// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package registrar_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
)

// A quiet kernel has the same two interfaces for ever.
type quiet struct{}

func (quiet) Watch(ctx context.Context, emit func(netwatch.Snapshot)) error {
	emit(netwatch.Snapshot{Interfaces: []netwatch.Interface{{Name: "cluster", Kind: "veth"}, {Name: "net1", Kind: "ipvlan"}}})
	<-ctx.Done()
	return ctx.Err()
}

// A silent cloud answers nothing.
type silent struct{ registrar.Cloud }

func (silent) Inventory(ctx context.Context, _ []string) (eniassign.Inventory, error) {
	<-ctx.Done()
	return eniassign.Inventory{}, ctx.Err()
}

// A listener notes which interfaces are talked on.
type listener struct{ names []string }

func (l *listener) Follow(links []netwatch.Interface) {
	l.names = nil
	for _, i := range links {
		l.names = append(l.names, i.Name)
	}
}
func (*listener) Say(ledger.Saying)                                 {}
func (*listener) Listen(ctx context.Context, _ func(ledger.Saying)) { <-ctx.Done() }

// TestSiblingsAreTalkedToWhereTheAnnotationsSay: which interface is the cluster's
// is told by an annotation, after the first snapshot and without another.
func TestSiblingsAreTalkedToWhereTheAnnotationsSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		said := make(chan struct{})
		talk := &listener{}
		r := registrar.New(registrar.Options{
			Ledger: ledger.Config{DefaultInterfaces: []string{"eth0"}}, Watcher: quiet{}, Cloud: silent{}, Store: lifeStore{&disk{}, &life{ctx: ctx, end: stop}},
			Log: slog.New(slog.DiscardHandler), Rand: func() float64 { return 0 }, Siblings: talk,
			Follow: func(_ context.Context, emit func(registrar.Pod)) error {
				<-said
				emit(registrar.Pod{DefaultInterfaces: []string{"cluster"}})
				return nil
			},
		})
		done := make(chan error)
		go func() { done <- r.Sidecar(ctx) }()
		synctest.Wait()
		if want := []string{"cluster", "net1"}; !slices.Equal(talk.names, want) {
			t.Errorf("talks on %v, want %v", talk.names, want)
		}
		close(said)
		synctest.Wait()
		if want := []string{"net1"}; !slices.Equal(talk.names, want) {
			t.Errorf("talks on %v, want %v", talk.names, want)
		}
		stop()
		<-done
	})
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package registrar

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
)

// saveRetry is how often a state file that could not be written is tried again.
const saveRetry = 10 * time.Second

// A Registrar keeps the ENIs true to the interfaces of one namespace.
type Registrar struct {
	opts    Options
	ledger  *ledger.Ledger
	started time.Time
	saveErr string // "" while the state file is kept
	// draining says that only the last releases are left to do.
	draining bool
	stops    stops

	snapshots mailbox
	answers   chan func(now time.Time) // what came back, to be told to the ledger
	heard     chan ledger.Saying       // what siblings say
	calls     sync.WaitGroup           // goroutines that wait for the network
	workUntil context.Context          // ends when no answer is worth waiting for any more
}

// New makes a Registrar. It does nothing until it is run.
func New(o Options) *Registrar {
	o.Ledger.Siblings = o.Siblings != nil
	return &Registrar{
		opts:      o,
		ledger:    ledger.New(o.Ledger, o.Rand),
		stops:     stops{},
		snapshots: newMailbox(),
		answers:   make(chan func(time.Time)),
		heard:     make(chan ledger.Saying),
	}
}

// A NotReadyError says what was missing when the time was up.
type NotReadyError struct{ Waiting []string }

func (e *NotReadyError) Error() string { return strings.Join(e.Waiting, "\n") }

// A ReleaseError says which addresses could not be released at shutdown.
type ReleaseError struct{ Left []string }

func (e *ReleaseError) Error() string {
	return "not released in time: " + strings.Join(e.Left, "; ") +
		". Unassign them by hand, or leave them to the next pod that is given the address."
}

// A RefusedError says why nothing may be done in this namespace (law 9).
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }

// Init works until every wanted address is routed, and returns nil then, with
// the addresses left assigned. When timeout passes first it returns a
// *NotReadyError; when ctx ends, the pod is being deleted: what was assigned is
// released and ctx's cause is returned.
func (r *Registrar) Init(ctx context.Context, timeout time.Duration) error {
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	return r.run(ctx, true, limit.C)
}

// Sidecar works until ctx ends; then it releases what is its own.
func (r *Registrar) Sidecar(ctx context.Context) error { return r.run(ctx, false, nil) }

// run is the one goroutine that owns the ledger.
func (r *Registrar) run(ctx context.Context, untilReady bool, limit <-chan time.Time) error {
	r.started = time.Now()
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	watch, stopWatch := context.WithCancel(ctx)
	r.workUntil = work
	defer r.join(stopWatch, stopWork)
	r.load()
	watched := make(chan error, 1)
	r.calls.Go(func() { watched <- r.opts.Watcher.Watch(watch, r.snapshots.put) })

	r.follow(watch)
	r.listen(work)

	alarm := time.NewTimer(0)
	defer alarm.Stop()
	for {
		select {
		case <-r.snapshots.full:
			r.observe()
		case tell := <-r.answers:
			tell(time.Now())
		case s := <-r.heard:
			if !r.ledger.Heard(time.Now(), s) {
				continue // anybody can say anything
			}
		case <-alarm.C:
		case err := <-watched:
			if watch.Err() == nil {
				return fmt.Errorf("watch the pod's interfaces: %w", err)
			}
			watched = nil
		case <-limit:
			return &NotReadyError{r.ledger.Waiting()}
		case <-ctx.Done():
			stopWatch()
			err := r.drain(alarm)
			if untilReady {
				err = errors.Join(context.Cause(ctx), err)
			}
			return err
		}
		r.step(alarm)
		if why := r.ledger.Refused(); why != nil {
			return &RefusedError{why.String()}
		}
		if untilReady && len(r.ledger.Waiting()) == 0 {
			return nil
		}
	}
}

// follow lets the ledger know what the pod's annotations say. Without that the
// work goes on.
func (r *Registrar) follow(ctx context.Context) {
	if r.opts.Follow == nil {
		return
	}
	r.calls.Go(func() {
		err := r.opts.Follow(ctx, func(p Pod) {
			r.answers <- func(at time.Time) {
				r.ledger.SetDefaultInterfaces(at, p.DefaultInterfaces)
				r.ledger.SetFloating(at, p.Floating)
			}
		})
		if err != nil {
			r.opts.Log.Warn("the pod's annotations are not followed", "error", err)
		}
	})
}

// listen lets the ledger know what siblings say, until the last release.
func (r *Registrar) listen(ctx context.Context) {
	if r.opts.Siblings == nil {
		return
	}
	r.calls.Go(func() {
		r.opts.Siblings.Listen(ctx, func(s ledger.Saying) {
			select {
			case r.heard <- s:
			case <-ctx.Done():
			}
		})
	})
}

// drain releases what is ours, within ShutdownTimeout.
func (r *Registrar) drain(alarm *time.Timer) error {
	limit := time.NewTimer(r.opts.ShutdownTimeout)
	defer limit.Stop()
	r.draining = true
	r.ledger.Shutdown(time.Now())
	r.step(alarm)
	for !r.ledger.Drained() {
		select {
		case tell := <-r.answers:
			tell(time.Now())
		case s := <-r.heard:
			if !r.ledger.Heard(time.Now(), s) {
				continue
			}
		case <-alarm.C:
		case <-limit.C:
			return r.left()
		}
		r.step(alarm)
	}
	return nil
}

// left names what a drain could not release.
func (r *Registrar) left() error {
	var left []string
	for _, row := range r.ledger.Rows() {
		if row.State != ledger.Released {
			left = append(left, strings.TrimSpace(fmt.Sprintf("%s on %s (%s) %s", row.Address, row.ENI, row.State, row.Reason)))
		}
	}
	return &ReleaseError{left}
}

// join ends what still runs and waits for it.
func (r *Registrar) join(stop ...context.CancelFunc) {
	for _, f := range stop {
		f()
	}
	done := make(chan struct{})
	go func() { r.calls.Wait(); close(done) }()
	for {
		select {
		case <-r.answers: // too late to matter: its record says in doubt
		case <-done:
			return
		}
	}
}

func (r *Registrar) observe() {
	if s, ok := r.snapshots.take(); ok {
		r.ledger.Observe(time.Now(), s)
	}
}

// A mailbox holds the newest snapshot: older ones are nobody's wish any more.
type mailbox struct {
	mu   *sync.Mutex
	last *netwatch.Snapshot
	full chan struct{}
}

func newMailbox() mailbox { return mailbox{mu: new(sync.Mutex), full: make(chan struct{}, 1)} }

func (m *mailbox) put(s netwatch.Snapshot) {
	m.mu.Lock()
	if m.last != nil {
		s.Noticed = m.last.Noticed // what was noticed first has waited longest
	}
	m.last = &s
	m.mu.Unlock()
	select {
	case m.full <- struct{}{}:
	default:
	}
}

func (m *mailbox) take() (netwatch.Snapshot, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.last == nil {
		return netwatch.Snapshot{}, false
	}
	s := *m.last
	m.last = nil
	return s, true
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A fakeKernel follows a script, in fake time.
type fakeKernel struct {
	// openErr and listErr are asked at each attempt, counted from 1.
	openErr, listErr func(attempt int) error
	// notify wakes the watch: nil is a notification.
	notify chan error

	mu                    sync.Mutex
	opened, lists, closed int
	prefixes              []netip.Prefix
	emitted               []Snapshot
}

func (f *fakeKernel) open() (source, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opened++
	if f.openErr != nil {
		if err := f.openErr(f.opened); err != nil {
			f.closed++ // nothing to close
			return nil, err
		}
	}
	return f, nil
}

func (f *fakeKernel) list() (listing, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lists++
	if f.listErr != nil {
		if err := f.listErr(f.lists); err != nil {
			return listing{}, err
		}
	}
	return listing{interfaces: []Interface{{Name: "net1", Index: 2, Prefixes: f.prefixes}}}, nil
}

func (f *fakeKernel) wait(ctx context.Context, limit time.Duration) (time.Time, error) {
	timeout := make(<-chan time.Time)
	if limit > 0 {
		timeout = time.After(limit)
	}
	select {
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	case err := <-f.notify:
		return time.Now(), err
	case <-timeout:
		return time.Time{}, nil
	}
}

func (f *fakeKernel) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed++
}

// have changes the namespace, without a notification.
func (f *fakeKernel) have(texts ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.prefixes = prefixes(texts...)
}

// expect lets the watch come to rest, then compares what it has done so far.
func (f *fakeKernel) expect(t *testing.T, opened, lists, emitted int) {
	t.Helper()
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.opened != opened || f.lists != lists || len(f.emitted) != emitted {
		t.Errorf("%d subscriptions, %d listings, %d snapshots, want %d, %d and %d",
			f.opened, f.lists, len(f.emitted), opened, lists, emitted)
	}
}

// watchFake watches the fake until the story has been told, and checks that
// every subscription was closed.
func watchFake(t *testing.T, f *fakeKernel, o Options, story func(*testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f.notify = make(chan error)
		w := newWatcher(o)
		w.open = f.open
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- w.Watch(ctx, func(s Snapshot) {
				f.mu.Lock()
				defer f.mu.Unlock()
				f.emitted = append(f.emitted, s)
			})
		}()
		story(t)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Watch returned %v, want nil", err)
		}
		if f.opened != f.closed {
			t.Errorf("%d subscriptions were opened and %d closed", f.opened, f.closed)
		}
	})
}

func TestWatchRelistsWithoutNotification(t *testing.T) {
	f := &fakeKernel{}
	watchFake(t, f, Options{}, func(t *testing.T) {
		f.expect(t, 1, 1, 1)
		f.have("10.0.0.1/24")
		time.Sleep(DefaultRelist - time.Second)
		f.expect(t, 1, 1, 1)
		time.Sleep(2 * time.Second)
		f.expect(t, 1, 2, 2)
	})
}

func TestWatchRelistCanBeTurnedOff(t *testing.T) {
	f := &fakeKernel{}
	watchFake(t, f, Options{Relist: -1}, func(t *testing.T) {
		time.Sleep(1000 * time.Hour)
		f.expect(t, 1, 1, 1)
	})
}

func TestWatchEmitsOnlyChanges(t *testing.T) {
	f := &fakeKernel{}
	watchFake(t, f, Options{}, func(t *testing.T) {
		for range 5 {
			f.notify <- nil
		}
		f.expect(t, 1, 6, 1)
	})
}

// An overflow is no change: what was emitted before it stays known, and the
// retry is at once.
func TestWatchStartsAgainAfterOverflow(t *testing.T) {
	f := &fakeKernel{}
	f.have("10.0.0.1/24")
	watchFake(t, f, Options{}, func(t *testing.T) {
		begin := time.Now()
		f.notify <- unix.ENOBUFS
		f.notify <- nil
		f.expect(t, 2, 3, 1)
		f.have()
		f.notify <- unix.ENOBUFS
		f.notify <- nil
		f.expect(t, 3, 5, 2)
		if took := time.Since(begin); took != 0 {
			t.Errorf("it took %v, want no time", took)
		}
	})
}

// Noticed is the first notification's time, whatever it took to list.
func TestWatchNoticedOutlivesFailedListings(t *testing.T) {
	f := &fakeKernel{listErr: func(attempt int) error {
		if attempt > 1 && attempt < 6 {
			return netlink.ErrDumpInterrupted
		}
		return nil
	}}
	watchFake(t, f, Options{}, func(t *testing.T) {
		time.Sleep(time.Minute)
		f.have("10.0.0.1/24")
		begin := time.Now()
		f.notify <- nil
		time.Sleep(time.Second)
		f.expect(t, 5, 6, 2)
		if noticed := f.emitted[1].Noticed; !noticed.Equal(begin) {
			t.Errorf("noticed at %v, want %v", noticed, begin)
		}
	})
}

func TestWatchNeverGivesUp(t *testing.T) {
	var log logRecorder
	var attempts []time.Time
	f := &fakeKernel{openErr: func(attempt int) error {
		attempts = append(attempts, time.Now())
		if attempt <= 1000 {
			return unix.EMFILE
		}
		return nil
	}}
	watchFake(t, f, Options{Logger: log.logger()}, func(t *testing.T) {
		time.Sleep(1000 * maxBackoff)
		f.expect(t, 1001, 1, 1)
	})
	var waits []time.Duration
	for i := range attempts[1:11] {
		waits = append(waits, attempts[i+1].Sub(attempts[i]))
	}
	const ms = time.Millisecond
	want := []time.Duration{0, 1 * ms, 2 * ms, 4 * ms, 8 * ms, 16 * ms, 32 * ms, 64 * ms, maxBackoff, maxBackoff}
	if !slices.Equal(waits, want) {
		t.Errorf("waits %v, want %v", waits, want)
	}
	if got := strings.Count(log.String(), "level=WARN"); got != 9 {
		t.Errorf("1000 failures gave %d warnings, want 9: at 2, 4, 8 … 512", got)
	}
}

func TestWatchEndsDuringBackoff(t *testing.T) {
	f := &fakeKernel{openErr: func(int) error { return unix.EMFILE }}
	watchFake(t, f, Options{}, func(*testing.T) { time.Sleep(time.Minute) })
}

func TestSnapshotIsMadeAgainAfterInterruption(t *testing.T) {
	f := &fakeKernel{listErr: func(attempt int) error {
		if attempt < 4 {
			return netlink.ErrDumpInterrupted
		}
		return nil
	}}
	f.have("10.0.0.1/24")
	w := newWatcher(Options{})
	w.open = f.open
	s, err := w.Snapshot(t.Context())
	if err != nil || !slices.Equal(prefixesOf(s, "net1"), []string{"10.0.0.1/24"}) || f.opened != 4 || f.closed != 4 {
		t.Errorf("got %v, %v after %d subscriptions (%d closed)", s, err, f.opened, f.closed)
	}

	f.listErr = func(int) error { return unix.EMFILE }
	if _, err := w.Snapshot(t.Context()); !errors.Is(err, unix.EMFILE) || f.opened != 5 {
		t.Errorf("another error gives %v after %d attempts, want it at once", err, f.opened-4)
	}
	f.listErr = func(int) error { return netlink.ErrDumpInterrupted }
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := w.Snapshot(ctx); !errors.Is(err, netlink.ErrDumpInterrupted) {
		t.Errorf("interruptions until ctx ends give %v", err)
	}
}

// deafKernel lists well and cannot wait.
type deafKernel struct{ lists int }

func (d *deafKernel) list() (listing, error) { d.lists++; return listing{}, nil }

func (d *deafKernel) wait(context.Context, time.Duration) (time.Time, error) {
	return time.Time{}, errors.New("file type does not support deadline")
}

func (d *deafKernel) close() {}

// TestASubscriptionThatCannotWaitDoesNotSpin: a good listing before each failure
// must not make the pause forget the failures.
func TestASubscriptionThatCannotWaitDoesNotSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &deafKernel{}
		var log logRecorder
		w := newWatcher(Options{Logger: log.logger()})
		w.open = func() (source, error) {
			if d.lists > 1000 {
				panic("it spins")
			}
			return d, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_ = w.Watch(ctx, func(Snapshot) {})
		if most := int(2*time.Minute/maxBackoff) + 20; d.lists < 2 || d.lists > most {
			t.Errorf("%d listings in a minute, want %d at most", d.lists, most)
		}
	})
}

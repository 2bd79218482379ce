// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package warm

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// An endpoint closes connections that were idle for a time; all have one fate.
type endpoint struct {
	idle time.Duration // 0 for never
	lost chan time.Duration

	mu    sync.Mutex
	err   error
	timer *time.Timer // nil without connections
	n     int
	cold  int // pings that found no connection
}

func (e *endpoint) Ping(_ context.Context, n int) (eniassign.Pinged, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.n++
	if e.err != nil {
		return eniassign.Pinged{}, e.err
	}
	p := eniassign.Pinged{Warm: n}
	if e.timer == nil {
		e.cold++
		p = eniassign.Pinged{Opened: n}
	} else {
		e.timer.Stop()
	}
	limit := e.idle
	if limit == 0 {
		limit = 1000 * time.Hour
	}
	e.timer = time.AfterFunc(limit, func() { e.end(limit) })
	return p, nil
}

func (e *endpoint) end(idle time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.timer.Stop()
	e.timer = nil
	select {
	case e.lost <- idle:
	default:
	}
}

func (e *endpoint) fail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.err = err
}

func (e *endpoint) state() (pings, cold int, open bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.n, e.cold, e.timer != nil
}

func keep(t *testing.T, e *endpoint, story func(*testing.T, *journal)) {
	t.Helper()
	beside(t, func(ctx context.Context, log *slog.Logger) {
		e.lost = make(chan time.Duration, 1) // in the bubble, and before the first ping
		Connections{
			Line:     func() (Line, <-chan time.Duration) { return e, e.lost },
			Interval: DefaultInterval, Random: func() float64 { return 0.5 }, Log: log,
		}.Run(ctx)
	}, func(t *testing.T, j *journal) {
		synctest.Wait()
		story(t, j)
		e.mu.Lock()
		if e.timer != nil {
			e.timer.Stop()
		}
		e.mu.Unlock()
	})
}

// TestConnectionsStayOpenWhateverTheServersLimit: the first hours, with the
// limit unknown.
func TestConnectionsStayOpenWhateverTheServersLimit(t *testing.T) {
	for _, tt := range []struct {
		idle           time.Duration
		cold, pingsMax int // in three hours
	}{
		{0, 1, 3 * 3600 / 15}, {time.Minute, 1, 3 * 3600 / 15}, {20 * time.Second, 1, 3 * 3600 / 15},
		{10 * time.Second, 6, 3 * 3600 / 6}, {5 * time.Second, 10, 3 * 3600 / 3},
		{time.Second, 3 * 3600, 3 * 3600}, // not kept open, but opened again, and at no great cost
	} {
		e := &endpoint{idle: tt.idle}
		keep(t, e, func(t *testing.T, log *journal) {
			time.Sleep(3 * time.Hour)
			pings, cold, _ := e.state()
			if cold > tt.cold || pings > tt.pingsMax || log.String() != "" {
				t.Errorf("limit %v: %d cold, %d pings, log %q; want at most %d and %d", tt.idle, cold, pings, log, tt.cold, tt.pingsMax)
			}
		})
	}
}

// TestALostConnectionIsOpenedAgainAtOnce, and does not count as a limit when an
// answer ended it.
func TestALostConnectionIsOpenedAgainAtOnce(t *testing.T) {
	e := &endpoint{}
	keep(t, e, func(t *testing.T, _ *journal) {
		time.Sleep(time.Minute)
		before, _, _ := e.state()
		e.end(time.Millisecond)
		time.Sleep(time.Second)
		if _, _, open := e.state(); !open {
			t.Error("not opened again")
		}
		time.Sleep(time.Minute)
		if pings, _, _ := e.state(); pings-before > 6 {
			t.Errorf("%d pings in the minute after: the interval was shortened", pings-before)
		}
	})
}

func TestALineThatFailsIsToldOnceAndComesBack(t *testing.T) {
	e := &endpoint{err: errors.New("no route to host")}
	keep(t, e, func(t *testing.T, log *journal) {
		time.Sleep(time.Hour)
		pings, _, _ := e.state()
		if n := strings.Count(log.String(), "no route to host"); n != 1 || pings > 100 {
			t.Errorf("told %d times, pinged %d times in an hour", n, pings)
		}
		e.fail(nil)
		time.Sleep(reopenMax)
		if _, _, open := e.state(); !open || !strings.Contains(log.String(), "again") {
			t.Errorf("not opened again; log %q", log)
		}
	})
}

// TestWhereEachPingClosesFewAreSent: they do not do what they are for.
func TestWhereEachPingClosesFewAreSent(t *testing.T) {
	e := &endpoint{err: eniassign.ErrPingCloses}
	keep(t, e, func(t *testing.T, log *journal) {
		time.Sleep(time.Hour)
		if pings, _, _ := e.state(); pings > 2*(1+closesMax) || strings.Count(log.String(), "consequence") != 1 {
			t.Errorf("%d pings, log %q", pings, log)
		}
	})
}

// TestAServerThatDrainsIsPingedAgain: front ends close connections after so many
// requests, or before they are replaced, with the same words.
func TestAServerThatDrainsIsPingedAgain(t *testing.T) {
	e := &endpoint{}
	keep(t, e, func(t *testing.T, log *journal) {
		for range 10 {
			time.Sleep(time.Hour)
			before, _, _ := e.state()
			e.fail(eniassign.ErrPingCloses)
			for pings := before; pings == before; pings, _, _ = e.state() {
				time.Sleep(time.Millisecond)
			}
			e.fail(nil)
			time.Sleep(reopenMax)
			if _, _, open := e.state(); !open || strings.Contains(log.String(), "consequence") {
				t.Fatalf("not opened again; log %q", log)
			}
		}
	})
}

// TestAShortIntervalGrowsAgainWithoutLosses: the front end that closed early
// may not be there any more.
func TestAShortIntervalGrowsAgainWithoutLosses(t *testing.T) {
	e := &endpoint{idle: 4 * time.Second}
	keep(t, e, func(t *testing.T, _ *journal) {
		time.Sleep(time.Minute)
		e.mu.Lock()
		e.idle = 0
		e.mu.Unlock()
		time.Sleep(5 * time.Hour)
		before, _, _ := e.state()
		time.Sleep(time.Hour)
		if pings, _, _ := e.state(); pings-before > 3600/15 {
			t.Errorf("%d pings in an hour", pings-before)
		}
	})
}

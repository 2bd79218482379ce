// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package warm

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// DefaultInterval is how often connections are used that would else be idle.
// How soon EC2 closes idle ones is not documented: 20 s was seen of S3, 60 s of
// others; where it is sooner, Connections finds out.
const DefaultInterval = 20 * time.Second

const (
	// connections is how many calls a failover can send at once: IPv4 and
	// IPv6 on two ENIs. More would cost every waiting pod, and a NAT gateway
	// has 55,000 connections to one endpoint for all.
	connections = 4
	// intervalMin bounds what a server that closes early can make it cost.
	intervalMin = 2 * time.Second
	// intervalDoubt is how long a connection was idle, at least, for its end to
	// count as a limit of the server's: one that ends sooner was ended by an
	// answer or by the network.
	intervalDoubt = time.Second
	// relaxAfter is how many pings without a loss let the interval grow again.
	relaxAfter = 500
	// closesMax is how many pings in a row may end with their connections closed
	// before that counts as the server's way.
	closesMax = 3
	// closesAgain is when it is tried again then.
	closesAgain = 30 * time.Minute
	// reopenMin and reopenMax bound the pause before lost connections are
	// opened again, and between attempts that fail.
	reopenMin, reopenMax = 500 * time.Millisecond, time.Minute
)

// A Line can be pinged; *eniassign.Line is one.
type Line interface {
	Ping(ctx context.Context, n int) (eniassign.Pinged, error)
}

// Connections keeps connections to EC2 open.
type Connections struct {
	// Line is asked before each ping: the client may be replaced. The channel
	// tells, as eniassign.Line's Lost, when a connection has ended.
	Line func() (Line, <-chan time.Duration)
	// Interval is the longest time between two pings.
	Interval time.Duration
	// Random gives numbers in [0, 1) for the jitter.
	Random func() float64
	Log    *slog.Logger
}

// Run pings at once, and then again at each interval and soon after a
// connection is lost, until ctx ends. An interval that is longer than what the
// server allows is shortened. A line that fails is told once.
func (c Connections) Run(ctx context.Context) {
	interval, quiet, failures, closed, told := c.Interval, 0, 0, 0, false
	for {
		line, lost := c.Line()
		select {
		case <-lost: // before this ping
		default:
		}
		_, err := line.Ping(ctx, connections)
		if ctx.Err() != nil {
			return
		}
		switch {
		case errors.Is(err, eniassign.ErrPingCloses) && closed < closesMax:
			closed++ // a server that drains, or that bounds the requests of a connection
			if !sleep(ctx, pause(reopenMin, reopenMax, closed, c.Random())) {
				return
			}
			continue
		case errors.Is(err, eniassign.ErrPingCloses):
			if !told {
				c.Log.Warn("connections to EC2 cannot be kept open", "error", err,
					"consequence", "the first call of a failover opens one: two to three round trips more")
			}
			told, closed = true, 0
			if !sleep(ctx, closesAgain) {
				return
			}
			continue
		case err != nil:
			if failures == 0 {
				c.Log.Warn("no connection to EC2", "error", err)
			}
			failures++
			if !sleep(ctx, pause(reopenMin, reopenMax, failures, c.Random())) {
				return
			}
			continue
		case failures > 0:
			c.Log.Info("connected to EC2 again")
			failures = 0
		}
		closed, told = 0, false
		if quiet++; quiet >= relaxAfter {
			quiet, interval = 0, min(c.Interval, interval*2)
		}
		wait := time.NewTimer(interval - time.Duration(c.Random()*float64(interval)/4))
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
			continue
		case idle := <-lost:
			wait.Stop()
			if quiet = 0; idle >= intervalDoubt {
				interval = min(interval, max(intervalMin, idle*3/4))
			}
		}
		if !sleep(ctx, pause(2*reopenMin, reopenMax, 0, c.Random())) { // the others of the same fate end, too
			return
		}
	}
}

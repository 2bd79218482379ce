// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/metrics"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/warm"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// askTimeout bounds one question for credentials, to STS or to the Pod Identity
// agent, for which the SDK has no limit: one that takes the connection and never
// answers would keep every call waiting. EC2 has a limit of its own.
const askTimeout = 10 * time.Second

// cloud is EC2 and IMDS as the SDK's environment describes them. Where that
// names no Region, the one of IMDS is taken once it has answered.
type cloud struct {
	cfg      aws.Config
	log      *slog.Logger
	metrics  *metrics.Metrics // nil for none
	imds     eniassign.IMDS
	imdsTold string // IMDSError of the last inventory; one is under way at a time
	client   atomic.Pointer[eniassign.Client]
	line     atomic.Pointer[eniassign.Line] // the client's

	credentials *warm.Credentials
	regional    chan struct{} // closed when the Region is known
	once        sync.Once
}

func newCloud(ctx context.Context, log *slog.Logger, m *metrics.Metrics) (*cloud, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(askTimeout)))
	if err != nil {
		return nil, fmt.Errorf("read the AWS SDK's environment: %w", err)
	}
	c := &cloud{cfg: cfg, log: log, metrics: m, imds: eniassign.NewIMDS(cfg), regional: make(chan struct{})}
	c.credentials = warm.NewCredentials(cfg.Credentials)
	c.cfg.Credentials = c.credentials
	c.use(cfg.Region)
	return c, nil
}

// use makes the client for a Region.
func (c *cloud) use(region string) {
	cfg := c.cfg.Copy()
	cfg.Region = region
	line := eniassign.NewLine(cfg)
	api := eniassign.Instrument(line.API, c.called)
	c.line.Store(line)
	c.client.Store(&eniassign.Client{EC2: api, IMDS: c.imds})
	if region != "" {
		c.once.Do(func() { close(c.regional) })
	}
}

// called takes how a call ended; code is "" for success.
func (c *cloud) called(action, code string, took time.Duration) {
	if code != "" && eniassign.Expired(code) {
		c.credentials.Refused()
	}
	if c.metrics != nil {
		c.metrics.Called(action, code, took)
	}
}

// keepWarm has credentials ready for the next call until ctx ends, and once a
// failover may come, which floating tells when it is closed, connections too, which
// are used at least at each interval. A cluster of ordinary pods would keep a
// hundred thousand open for nothing, more than one NAT gateway has room for (55,000
// to an endpoint).
func (c *cloud) keepWarm(ctx context.Context, interval time.Duration, floating <-chan struct{}) {
	var both sync.WaitGroup
	defer both.Wait()
	both.Go(func() { c.credentials.Run(ctx, c.log, rand.Float64) })
	for _, ready := range []<-chan struct{}{floating, c.regional} {
		select {
		case <-ready:
		case <-ctx.Done():
			return
		}
	}
	warm.Connections{
		Line: func() (warm.Line, <-chan time.Duration) {
			l := c.line.Load()
			return l, l.Lost
		},
		Interval: interval, Random: rand.Float64, Log: c.log,
	}.Run(ctx)
}

// Inventory finds the worker's ENIs. One is under way at a time.
func (c *cloud) Inventory(ctx context.Context, macs []string) (eniassign.Inventory, error) {
	inv, err := c.client.Load().Inventory(ctx, macs)
	if err != nil {
		return inv, err
	}
	if c.cfg.Region == "" && inv.Region != "" {
		c.cfg.Region = inv.Region // once: another client would have no connections
		c.use(inv.Region)
	}
	if inv.IMDSError != c.imdsTold { // an inventory is taken each 4 min then, for ever
		if c.imdsTold = inv.IMDSError; inv.IMDSError != "" {
			c.log.Warn("instance metadata not used", "reason", inv.IMDSError)
		}
	}
	return inv, nil
}

// Describe asks EC2 about ENIs.
func (c *cloud) Describe(ctx context.Context, ids []string) ([]eniassign.ENI, error) {
	return c.client.Load().Describe(ctx, ids)
}

// Hint asks IMDS about an ENI.
func (c *cloud) Hint(ctx context.Context, e eniassign.ENI) (eniassign.ENI, error) {
	return c.client.Load().Hint(ctx, e)
}

// Holders asks EC2 which ENIs have addresses.
func (c *cloud) Holders(ctx context.Context, about eniassign.ENI, addrs []netip.Addr) (map[netip.Addr]eniassign.Holder, error) {
	return c.client.Load().Holders(ctx, about, addrs)
}

// Routes asks EC2 where routes lead.
func (c *cloud) Routes(ctx context.Context, tables []string, addrs []netip.Addr) ([]eniassign.Route, error) {
	return c.client.Load().Routes(ctx, tables, addrs)
}

// ProbeRoute asks EC2 about the right to a route call.
func (c *cloud) ProbeRoute(ctx context.Context, call eniassign.Call) *eniassign.Reason {
	return c.client.Load().ProbeRoute(ctx, call)
}

// Do sends a call to EC2.
func (c *cloud) Do(ctx context.Context, call eniassign.Call) []eniassign.Outcome {
	return c.client.Load().Do(ctx, call)
}

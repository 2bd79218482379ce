// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vpcsim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// A Sim is a running VPC. Close it to remove every trace.
type Sim struct {
	// VPC is the state of EC2; tests read it, change it and inject faults.
	VPC *model.VPC
	// Fabric is the network; nil with Options.NoFabric.
	Fabric *fabric.Fabric
	// EC2URL is the endpoint, for AWS_ENDPOINT_URL_EC2. It is reachable from
	// workers and pods; with Options.NoFabric from this machine.
	EC2URL string

	opts    Options
	imds    map[string]string // URLs by worker
	remote  *secure           // nil without Options.Remote
	servers []*server
	done    sync.WaitGroup
	stop    context.CancelFunc
}

// Start makes the VPC that t describes and returns when it is reachable. ctx
// bounds the start only. On error nothing is left behind.
func Start(ctx context.Context, t topology.Topology, opts Options) (*Sim, error) {
	vpc, err := model.New(t)
	if err != nil {
		return nil, err
	}
	s := &Sim{VPC: vpc, opts: opts, imds: make(map[string]string), stop: func() {}}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Sim) start(ctx context.Context) (err error) {
	if s.opts.NoFabric {
		return s.serveLocally(ctx)
	}
	s.Fabric, err = fabric.New(ctx, s.VPC.Topology(), s.VPC, s.opts.Fabric)
	if err != nil {
		return err
	}
	if err := s.serveInFabric(ctx); err != nil {
		return err
	}
	if err := s.writeRecord(); err != nil {
		return err
	}
	watch, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.done.Go(func() { s.followBlocks(watch) })
	return nil
}

// Close ends the servers, removes the network, and returns when every
// goroutine has ended. Closing twice is success.
func (s *Sim) Close() error {
	s.stop()
	s.done.Wait()
	var errs []error
	for _, srv := range s.servers {
		errs = append(errs, srv.close())
	}
	s.servers = nil
	if s.Fabric != nil {
		errs = append(errs, s.Fabric.Close())
	}
	if s.remote != nil {
		errs = append(errs, os.RemoveAll(s.remote.dir))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close the embedded VPC: %w", err)
	}
	return nil
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vpcsim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/imdsapi"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// Socket is the name of the Unix socket in the run's directory on which the
// EC2 endpoint, and what is beside it, can be reached from any namespace.
const Socket = "ec2.sock"

// serveInFabric serves where instances expect it: EC2 at its address, IMDS at
// 169.254.169.254 on each worker's own link.
func (s *Sim) serveInFabric(ctx context.Context) error {
	l, err := s.Fabric.ListenEC2(ctx)
	if err != nil {
		return fmt.Errorf("serve EC2: %w", err)
	}
	api := s.api()
	if err := s.serveEC2(l, api); err != nil {
		return err
	}

	socket := filepath.Join(s.Fabric.Dir(), Socket)
	lc := net.ListenConfig{}
	if l, err = lc.Listen(ctx, "unix", socket); err != nil {
		return fmt.Errorf("serve EC2 on a socket: %w", err)
	}
	s.serve(l, api)

	for _, w := range s.VPC.Topology().Workers {
		l, err := s.Fabric.ListenIMDS(ctx, w.Name)
		if err != nil {
			return fmt.Errorf("serve IMDS of worker %s: %w", w.Name, err)
		}
		s.imds[w.Name] = "http://" + topology.IMDSAddress.Addr().String()
		imds := imdsapi.New(s.VPC, w.Name)
		s.serve(l, hopLimited(imds, imds.HopLimit))
	}
	return nil
}

// serveLocally serves everything on ports of this machine.
func (s *Sim) serveLocally(ctx context.Context) error {
	lc := net.ListenConfig{}
	l, err := lc.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serve EC2: %w", err)
	}
	if err := s.serveEC2(l, s.api()); err != nil {
		return err
	}
	for _, w := range s.VPC.Topology().Workers {
		l, err := lc.Listen(ctx, "tcp4", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("serve IMDS of worker %s: %w", w.Name, err)
		}
		s.imds[w.Name] = "http://" + l.Addr().String()
		s.serve(l, imdsapi.New(s.VPC, w.Name))
	}
	return nil
}

// serveEC2 serves the API as the options say: at once, or from afar.
func (s *Sim) serveEC2(l net.Listener, api http.Handler) error {
	if s.opts.Remote == nil {
		s.EC2URL = "http://" + l.Addr().String()
		s.serve(l, api)
		return nil
	}
	if err := s.secure(l.Addr()); err != nil {
		return errors.Join(err, l.Close())
	}
	s.EC2URL = "https://" + l.Addr().String()
	s.serveUntilIdle(s.remote.listen(l), s.remote.handler(api), s.remote.opts.IdleTimeout)
	return nil
}

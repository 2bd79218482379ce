// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vpcsim

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
	"github.com/multus-ip-registrar/multus-ip-registrar/test/uml"
	"github.com/multus-ip-registrar/multus-ip-registrar/test/uml/vm"
)

// TestVirtualMachine boots a kernel whose NICs are ENIs. What it finds there is
// tested inside of it, by package test/uml/vm.
func TestVirtualMachine(t *testing.T) {
	kernel := uml.Require(t)
	topo, err := topology.Parse("vm.yaml", []byte(vm.Topology))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Start(t.Context(), topo, Options{InstanceRole: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, a := range []string{vm.PodIPv4, vm.PodIPv6} {
		echoTCP(t, s, net.JoinHostPort(a, vm.EchoPort))
	}
	worker := s.Fabric.Worker("vm1")
	nics := worker.NICs()
	suite := uml.Suite{
		Package: "test/uml/vm",
		Env:     s.Env("vm1"),
		Share:   t.TempDir(), Directory: t.TempDir(), Start: worker.Start,
		KernelArgs: []string{nics[0].UML(), nics[1].UML()},
		Limit:      time.Minute,
	}
	ctx, cancel := context.WithCancel(t.Context())
	var plugger sync.WaitGroup
	plugger.Go(func() { plugWhenAsked(t, ctx, suite, nics[2].UML()) })
	defer plugger.Wait()
	defer cancel()
	kernel.Test(t, suite)

	for _, e := range []string{"v1-node", "v1-sig", "v1-late"} {
		c := s.Fabric.Counters(e)
		t.Logf("%s: %d sent, %d delivered, dropped %v", e, c.Sent, c.Delivered, c.Dropped)
		if c.Sent == 0 || c.Delivered == 0 {
			t.Errorf("ENI %s carried nothing", e)
		}
	}
}

// plugWhenAsked plugs a NIC in when the guest asks, and takes it away.
func plugWhenAsked(t *testing.T, ctx context.Context, suite uml.Suite, nic string) {
	for range vm.Plugs {
		for _, step := range []struct{ file, command string }{
			{vm.PlugFile, "config " + nic}, {vm.UnplugFile, "remove vec2"},
		} {
			file := filepath.Join(suite.Share, step.file)
			for errors.Is(os.Remove(file), os.ErrNotExist) {
				select {
				case <-ctx.Done():
					return
				case <-time.After(10 * time.Millisecond):
				}
			}
			if _, err := uml.Manage(ctx, suite.Directory, step.command); err != nil {
				t.Error(err)
			}
		}
	}
}

// echoTCP sends back what comes to an address of the pod b.
func echoTCP(t *testing.T, s *Sim, address string) {
	t.Helper()
	l, err := s.Fabric.Pod("b").Listen(t.Context(), "tcp", address, "")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				_ = c.SetDeadline(time.Now().Add(vm.Patience))
				_, _ = io.Copy(c, c)
				_ = c.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		conns.Wait()
	})
}

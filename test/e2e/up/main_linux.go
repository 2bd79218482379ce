// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Command up runs the cluster of the end-to-end tests until it is told to end:
// by SIGTERM, or by the end of its standard input. Then nobody is left to look
// at its directory, which it removes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/sandbox"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/cluster"
)

// portEnv tells the process in the sandbox the port that the one outside
// listens on.
const portEnv = "E2E_API_PORT"

// readyFile appears in the directory when the cluster is ready.
const readyFile = "ready"

// settings are the flags.
type settings struct {
	dir, topology, programs, apiserver, etcd, networks, version string
	keep, sweep                                                 bool
}

func main() {
	var s settings
	flag.StringVar(&s.dir, "dir", "", "a directory with a short path, and registrar, webhook, guestinit and node in its bin/")
	flag.StringVar(&s.topology, "topology", "test/e2e/topology.yaml", "the VPC")
	flag.StringVar(&s.programs, "programs", "", "what scripts/node.sh prints")
	flag.StringVar(&s.apiserver, "apiserver", "", "kube-apiserver, of scripts/apiserver.sh")
	flag.StringVar(&s.etcd, "etcd", "", "etcd, of scripts/apiserver.sh")
	flag.StringVar(&s.networks, "networks", "", "the definition of NetworkAttachmentDefinitions")
	flag.StringVar(&s.version, "version", "", "the tag of the images")
	flag.BoolVar(&s.keep, "keep", false, "end by SIGTERM only")
	flag.BoolVar(&s.sweep, "sweep", false, "only remove what a cluster of that directory, if it was killed, left outside of it")
	flag.Parse()
	code, err := run(s)
	if err != nil {
		fmt.Fprintln(os.Stderr, "up:", err)
		code = 1
	}
	os.Exit(code)
}

// run leads a port of this machine into the sandbox, in which the cluster is.
// However that ends, no control groups are left.
func run(s settings) (code int, err error) {
	if s.sweep {
		return 0, cluster.RemoveGroups(s.dir)
	}
	if !sandbox.Inside() {
		defer func() { err = errors.Join(err, cluster.RemoveGroups(s.dir)) }()
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return 1, err
		}
		defer l.Close()
		go cluster.Relay(l, filepath.Join(s.dir, cluster.APISocket))
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err == nil {
			err = os.Setenv(portEnv, port)
		}
		if err != nil {
			return 1, err
		}
	}
	var inner error
	code, err = sandbox.Run(sandbox.Options{}, func() int {
		if inner = inside(s); inner != nil {
			return 1
		}
		return 0
	})
	return code, errors.Join(err, inner)
}

// errAbandoned is why it ends when its standard input has.
var errAbandoned = errors.New("the one who started the cluster is gone")

func inside(s settings) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer stop()
	if !s.keep {
		var abandon context.CancelCauseFunc
		ctx, abandon = context.WithCancelCause(ctx)
		defer abandon(nil)
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin) // it ends with the one who holds it
			abandon(errAbandoned)
		}()
		defer func() {
			if errors.Is(context.Cause(ctx), errAbandoned) {
				err = errors.Join(err, os.RemoveAll(s.dir))
			}
		}()
	}
	port, err := strconv.Atoi(os.Getenv(portEnv))
	if err != nil {
		return fmt.Errorf("read %s: %w", portEnv, err)
	}
	topo, err := topology.Load(s.topology)
	if err != nil {
		return err
	}
	begin := time.Now()
	archive, bin := filepath.Join(s.dir, "images.tar"), filepath.Join(s.dir, "bin")
	if err := writeImages(archive, bin, s.version); err != nil {
		return err
	}
	c, err := cluster.Start(ctx, cluster.Options{
		Dir: s.dir, Topology: topo, Programs: s.programs, APIServer: s.apiserver, Etcd: s.etcd,
		GuestInit: filepath.Join(bin, "guestinit"), Node: filepath.Join(bin, "node"),
		Images: archive, NetworksDefinition: s.networks, APIPort: port,
		Say: func(format string, args ...any) {
			fmt.Printf("%6.1f s  %s\n", time.Since(begin).Seconds(), fmt.Sprintf(format, args...))
		},
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, readyFile), nil, 0o644); err != nil {
		return errors.Join(err, c.Close())
	}
	<-ctx.Done()
	return c.Close()
}

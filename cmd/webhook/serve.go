// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	nadclient "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/client/clientset/versioned"
	"github.com/spf13/cobra"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
)

// The client's own limit: high enough that a burst of pods with networks which
// the caches do not know yet is not held up by it.
const (
	clientQPS   = 50
	clientBurst = 100
)

func serveCommand(env cli.Env) *cobra.Command {
	s := &settings{}
	c := &cobra.Command{
		Use:   "serve",
		Short: "Answer the API server until SIGTERM",
		Long: `serve answers admission reviews at /inject by TLS. Any number of replicas may run.

Its certificate is its own work by default: the replicas share it in a Secret,
renew it, and keep the CA bundle of the webhook configuration. With --certificates
files it comes from a mounted Secret, of cert-manager or your own, and is read
again when it changes.

At SIGTERM /readyz says no at once, and requests are answered for --drain-delay
and until those under way are done. Set the pod's grace period to more than
--drain-delay and --shutdown-timeout together.`,
		Example: `  webhook serve --image registry.example/registrar@sha256:… --namespace multus-ip-registrar
  webhook serve --image … --certificates files --cert-dir /etc/webhook/certs`,
	}
	s.register(c.Flags())
	return cli.Strict(c, env, s.check, func(c *cobra.Command) error {
		log := slog.New(slog.NewJSONHandler(c.OutOrStdout(), &slog.HandlerOptions{Level: s.level}))
		return s.serve(c.Context(), log)
	})
}

func (s *settings) serve(ctx context.Context, log *slog.Logger) error {
	cfg, err := clientConfig(s.kubeconfig)
	if err != nil {
		return fmt.Errorf("find the API server: %w", err)
	}
	klog.SetSlogLogger(log) // what client-go has to say goes into the same log
	cfg.QPS, cfg.Burst = clientQPS, clientBurst
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("make a client of the API server: %w", err)
	}
	nads, err := nadclient.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("make a client of the networks: %w", err)
	}
	web, err := net.Listen("tcp", s.address)
	if err != nil {
		return fmt.Errorf("serve at --address: %w", err)
	}
	ops, err := net.Listen("tcp", s.opsAddress)
	if err != nil {
		return errors.Join(fmt.Errorf("serve at --ops-address: %w", err), web.Close())
	}
	a, err := s.app(kube, nads, log)
	if err != nil {
		return errors.Join(err, web.Close(), ops.Close())
	}
	log.Info("webhook starts", "version", cli.Version(), "address", web.Addr().String(), "opsAddress", ops.Addr().String(), "certificates", s.certificates, "image", s.image)
	err = a.run(ctx, web, ops)
	log.Info("webhook ends")
	return err
}

// clientConfig says how to reach the API server: by a file, or as a pod does.
func clientConfig(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		cfg, err := rest.InClusterConfig()
		if err != nil {
			err = fmt.Errorf("%w; outside of a cluster name one by --kubeconfig", err)
		}
		return cfg, err
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		err = fmt.Errorf("--kubeconfig: %w", err)
	}
	return cfg, err
}

// A task blocks until its context ends, or fails.
type task func(context.Context) error

// together runs tasks until ctx ends or one fails, and waits for all.
func together(ctx context.Context, tasks ...task) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	errs := make([]error, len(tasks))
	for i, t := range tasks {
		wg.Go(func() {
			if errs[i] = t(ctx); errs[i] != nil {
				stop()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

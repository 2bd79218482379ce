// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"log/slog"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/podinfo"
)

// annotated is a pod as its annotations file tells of it, and the flags where the
// file says nothing.
type annotated struct {
	s   *settings
	log *slog.Logger
	pod registrar.Pod // as it was last understood
}

// first is the pod at start.
func (a *annotated) first() registrar.Pod {
	a.pod = registrar.Pod{DefaultInterfaces: podinfo.DefaultInterfaces(a.s.networks), Floating: a.s.floating}
	annotations, err := podinfo.Read(a.s.annotations)
	if err == nil && annotations == nil {
		a.log.Warn("the annotations file is not there: floating IPs and route tables are those of the flags until it is; mount it by the downward API (metadata.annotations)",
			"file", a.s.annotations)
	}
	if err != nil {
		a.fault(err)
		return a.pod
	}
	return a.understand(annotations)
}

// follow emits the pod at once and after each change, until ctx ends.
func (a *annotated) follow(ctx context.Context, emit func(registrar.Pod)) error {
	return podinfo.Follow(ctx, a.s.annotations, func(annotations map[string]string) { emit(a.understand(annotations)) }, a.fault)
}

// understand takes up what the annotations say. One that cannot be understood
// changes nothing.
func (a *annotated) understand(annotations map[string]string) registrar.Pod {
	if networks, err := podinfo.ParseNetworkStatus(annotations[podinfo.NetworkStatusKey]); err != nil {
		a.fault(err)
	} else if len(networks) > 0 {
		a.pod.DefaultInterfaces = podinfo.DefaultInterfaces(networks)
	}
	listed := func(key, flag string, otherwise []string) named {
		if value, ok := annotations[key]; ok {
			return named{key, podinfo.List(value)}
		}
		return named{flag, otherwise}
	}
	f, err := parseFloating(listed(podinfo.FloatingIPsKey, "--floating-ips", a.s.floatingIPs),
		listed(podinfo.RouteTablesKey, "--route-tables", a.s.routeTables))
	if err != nil {
		a.fault(err)
	} else {
		a.pod.Floating = f
	}
	return a.pod
}

func (a *annotated) fault(err error) {
	a.log.Warn("the pod's annotations are not understood", "error", err)
}

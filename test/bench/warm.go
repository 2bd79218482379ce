// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// What time does to a standby that waits for weeks, in seconds: EC2 closes its
// idle connections, and STS's credentials end.
const (
	ec2KeepsIdle     = 3 * time.Second
	credentialsLast  = 4 * time.Second
	stsTakes         = 20 * time.Millisecond
	standbyWaits     = 5 * time.Second // longer than both
	standbyKeepsWarm = 2 * time.Second
	standbys         = 10
)

// warm is the time from just before a floating address appears on a standby to
// its request's arrival at EC2, which is behind TLS and a round trip away: with
// everything kept ready, and without, for the same wait before.
func warm(ctx context.Context, o options) ([]figure, error) {
	var figures []figure
	for _, roundTrip := range []time.Duration{2 * time.Millisecond, 20 * time.Millisecond} {
		cold, err := firstCalls(ctx, o, roundTrip, 0)
		if err != nil {
			return nil, err
		}
		c := of("", "ms", cold, 0, 0, "")
		ready, err := firstCalls(ctx, o, roundTrip, standbyKeepsWarm)
		if err != nil {
			return nil, err
		}
		// Half a round trip, and what a registrar may take of a failover itself. A
		// call that meets a ping waits for its answer, here ten times as often as
		// with an interval of 20 s.
		half := milliseconds(roundTrip / 2)
		figures = append(figures, of(
			fmt.Sprintf("floating address appears → a standby's first request arrives, TLS, EC2 %v away", roundTrip), "ms", ready, half+3, half+15,
			fmt.Sprintf("%.4g / %.4g (--keep-warm 0, n %d)", c.Median, c.P99, c.N)))
	}
	return figures, nil
}

// firstCalls measures rounds of standbys, each after a wait.
func firstCalls(ctx context.Context, o options, roundTrip, keepWarm time.Duration) (took []float64, err error) {
	t, err := topology.Parse("lab.yaml", labYAML)
	if err != nil {
		return nil, err
	}
	t.Pods = nil
	for i := range standbys {
		t.Pods = append(t.Pods, topology.Pod{Name: fmt.Sprintf("standby%d", i), Worker: "worker1", Interfaces: []topology.Interface{
			{Name: "net1", ENI: "w1-sig", Addresses: []netip.Prefix{sigAddress(100 + i)}},
		}})
	}
	remote := &vpcsim.Remote{RoundTrip: roundTrip, IdleTimeout: ec2KeepsIdle, CredentialsLast: credentialsLast, STSLatency: stsTakes}
	_, err = inLabOf(ctx, o, t, vpcsim.Options{Fabric: fabric.Options{Prefix: "bench"}, Remote: remote},
		func(ctx context.Context, l *lab, o options) ([]figure, error) {
			var all []*process
			for i, pod := range t.Pods {
				p, err := l.start(pod.Name, pod.Name, "sidecar", "--keep-warm", keepWarm.String(),
					"--floating-ips", sigAddress(200+i).Addr().String())
				if err != nil {
					return nil, err
				}
				all = append(all, p)
			}
			if err := until(ctx, "all standbys are routed", func() bool { return len(l.VPC.Addresses("w1-sig")) > standbys }); err != nil {
				return nil, err
			}
			for range o.rounds {
				time.Sleep(standbyWaits)
				for i, pod := range t.Pods {
					d, err := l.firstCall(ctx, pod.Name, sigAddress(200+i))
					if err != nil {
						return nil, err
					}
					took = append(took, milliseconds(d))
				}
			}
			for _, p := range all {
				if _, err := p.stop(syscall.SIGTERM); err != nil {
					return nil, err
				}
			}
			return nil, nil
		})
	return took, err
}

func sigAddress(last int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 1, byte(last)}), 24)
}

// firstCall adds a floating address to a pod, and removes it again.
func (l *lab) firstCall(ctx context.Context, pod string, a netip.Prefix) (time.Duration, error) {
	l.VPC.ResetCalls()
	set := time.Now()
	if err := l.Fabric.Pod(pod).AddAddress("net1", a); err != nil {
		return 0, err
	}
	if err := until(ctx, "it is assigned", func() bool { return l.has("w1-sig", a.Addr()) }); err != nil {
		return 0, err
	}
	calls := l.VPC.Calls("Assign*")
	if len(calls) != 1 {
		return 0, fmt.Errorf("%d Assign calls for one address", len(calls))
	}
	if err := l.Fabric.Pod(pod).DelAddress("net1", a); err != nil {
		return 0, err
	}
	return calls[0].Time.Sub(set), until(ctx, "it is released", func() bool { return !l.has("w1-sig", a.Addr()) })
}

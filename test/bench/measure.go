// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

var (
	floating  = netip.MustParsePrefix("10.0.1.200/24")
	floating2 = netip.MustParsePrefix("10.0.2.200/24")
)

// reaction is the time from just before the address is set, which is before
// the kernel's notification, to the request's arrival at EC2; and whether the
// address is released when it goes.
func reaction(ctx context.Context, l *lab, o options) ([]figure, error) {
	sidecar, err := l.start("active", "sidecar", "sidecar")
	if err != nil {
		return nil, err
	}
	if err := until(ctx, "the pod is routed", func() bool { return len(l.VPC.Addresses("w1-media")) > 2 && len(l.VPC.Addresses("w1-sig")) > 2 }); err != nil {
		return nil, err
	}
	var took []float64
	left := 0
	for i := range o.reactions {
		time.Sleep(time.Duration(5+i%20) * time.Millisecond) // as idle as a sidecar is
		l.VPC.ResetCalls()
		set := time.Now()
		if err := l.Fabric.Pod("active").AddAddress("net1", floating); err != nil {
			return nil, err
		}
		if err := until(ctx, "it is assigned", func() bool { return l.has("w1-sig", floating.Addr()) }); err != nil {
			return nil, err
		}
		first := l.VPC.Calls("*")[0]
		if first.Action != "AssignPrivateIpAddresses" {
			return nil, fmt.Errorf("the first call was %s", first.Action)
		}
		took = append(took, milliseconds(first.Time.Sub(set)))
		if err := l.Fabric.Pod("active").DelAddress("net1", floating); err != nil {
			return nil, err
		}
		if err := until(ctx, "it is released", func() bool { return !l.has("w1-sig", floating.Addr()) }); err != nil {
			left++
		}
	}
	rss, err := residentMB(sidecar.Process.Pid)
	if err != nil {
		return nil, err
	}
	if _, err := sidecar.stop(syscall.SIGTERM); err != nil {
		return nil, err
	}
	return []figure{
		of("address appears → EC2 request on the wire", "ms", took, 2, 10, "260 / 482 (max)"),
		of("addresses not released when they went", fmt.Sprintf("of %d", o.reactions), []float64{float64(left)}, 0, 0, "all"),
		of(fmt.Sprintf("resident memory of the sidecar after %d changes", 2*o.reactions), "MB", []float64{rss}, 20, 20, "60"),
	}, nil
}

func (l *lab) has(eni string, a netip.Addr) bool { return slices.Contains(l.VPC.Addresses(eni), a) }

// start is the time from starting the process to its first Assign's arrival,
// with IMDS and EC2 answering at once.
func start(ctx context.Context, l *lab, o options) ([]figure, error) {
	var took []float64
	for i := range o.starts {
		l.VPC.ResetCalls()
		began := time.Now()
		p, err := l.start("active", fmt.Sprintf("init%d", i), "init", "--timeout", "10s")
		if err != nil {
			return nil, err
		}
		if code, err := p.wait(); err != nil || code != 0 {
			return nil, fmt.Errorf("init ended with %d, %v: see %s", code, err, p.log)
		}
		took = append(took, milliseconds(l.VPC.Calls("Assign*")[0].Time.Sub(began)))
		if err := l.empty(ctx, "active"); err != nil {
			return nil, err
		}
	}
	return []figure{of("process start → first Assign on the wire", "ms", took, 60, 60, "about 450")}, nil
}

// empty lets a sidecar release what init has left.
func (l *lab) empty(ctx context.Context, pod string) error {
	p, err := l.start(pod, "empty", "sidecar")
	if err != nil {
		return err
	}
	if err := until(ctx, "the sidecar knows the addresses", func() bool {
		_, err := os.Stat(l.dir + "/empty/state.json")
		raw, _ := os.ReadFile(l.dir + "/empty/state.json")
		return err == nil && len(raw) > 400
	}); err != nil {
		return err
	}
	if _, err := p.stop(syscall.SIGTERM); err != nil {
		return err
	}
	return until(ctx, "everything is released", func() bool {
		return len(l.VPC.Addresses("w1-sig")) == 1 && len(l.VPC.Addresses("w1-media")) == 1
	})
}

// calls counts what EC2 is asked for a dual-stack pod with two ENIs, and for a
// failover of one floating address on each of them.
func calls(ctx context.Context, l *lab, _ options) ([]figure, error) {
	var pods []*process
	for _, pod := range []string{"active", "standby"} {
		p, err := l.start(pod, pod, "sidecar")
		if err != nil {
			return nil, err
		}
		pods = append(pods, p)
	}
	routed := func() bool {
		return len(l.VPC.Addresses("w1-sig")) == 3 && len(l.VPC.Addresses("w1-media")) == 3 &&
			len(l.VPC.Addresses("w2-sig")) == 3 && len(l.VPC.Addresses("w2-media")) == 3
	}
	if err := until(ctx, "both pods are routed", routed); err != nil {
		return nil, err
	}
	key := l.VPC.Credentials("worker1").AccessKeyID
	startup := count(l.VPC.Calls("*"), key)
	for i, f := range []netip.Prefix{floating, floating2} {
		if err := l.Fabric.Pod("active").AddAddress(fmt.Sprintf("net%d", i+1), f); err != nil {
			return nil, err
		}
	}
	if err := until(ctx, "the active pod has them", func() bool { return l.has("w1-sig", floating.Addr()) && l.has("w1-media", floating2.Addr()) }); err != nil {
		return nil, err
	}
	// The active pod hangs: it keeps its addresses and its registrar says nothing.
	if err := pods[0].Process.Signal(syscall.SIGSTOP); err != nil {
		return nil, fmt.Errorf("stop the active pod's registrar: %w", err)
	}
	l.VPC.ResetCalls()
	for i, f := range []netip.Prefix{floating, floating2} {
		if err := l.Fabric.Pod("standby").AddAddress(fmt.Sprintf("net%d", i+1), f); err != nil {
			return nil, err
		}
	}
	if err := until(ctx, "the standby pod has them", func() bool { return l.has("w2-sig", floating.Addr()) && l.has("w2-media", floating2.Addr()) }); err != nil {
		return nil, err
	}
	failover := len(l.VPC.Calls("*"))
	for _, p := range pods {
		_ = p.Process.Signal(syscall.SIGCONT)
		if _, err := p.stop(syscall.SIGTERM); err != nil {
			return nil, err
		}
	}
	return []figure{
		of("EC2 calls to start a dual-stack pod with 2 ENIs (1 Describe + 2 per family)", "calls", []float64{float64(startup)}, 5, 5, "1 + n + n"),
		of("EC2 calls for a failover on 2 ENIs", "calls", []float64{float64(failover)}, 2, 2, "n"),
	}, nil
}

func count(calls []model.Call, accessKey string) int {
	n := 0
	for _, c := range calls {
		if c.AccessKey == accessKey {
			n++
		}
	}
	return n
}

// refusal counts how often init exits 0 although EC2 refused.
func refusal(_ context.Context, l *lab, _ options) ([]figure, error) {
	lied := 0
	const n = 5
	for i, code := range [n]string{"PrivateIpAddressLimitExceeded", "UnauthorizedOperation", "RequestLimitExceeded", "InternalError", "InvalidParameterValue"} {
		remove := l.VPC.Inject(model.Fault{Action: "Assign*", Code: code})
		p, err := l.start("active", fmt.Sprintf("refused%d", i), "init", "--timeout", "1s")
		if err != nil {
			return nil, err
		}
		exit, err := p.wait()
		if err != nil {
			return nil, err
		}
		if exit == 0 {
			lied++
		}
		remove()
	}
	return []figure{of("init exits 0 although EC2 refused", fmt.Sprintf("of %d", n), []float64{float64(lied)}, 0, 0, "yes")}, nil
}

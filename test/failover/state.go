// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/traffic"
)

// holds says whether a pod alone has the floating IPs in its kernel, and the
// VPC delivers them to it.
func (l *lab) holds(p *pod) bool {
	for _, w := range l.sc.ips.ways {
		if w.holder(l.VPC) != p.eni {
			return false
		}
	}
	return l.keepalivedHasChosen(p)
}

// inKernel says whether a pod has an address and its peer has not.
func (l *lab) inKernel(p *pod, a netip.Addr) bool {
	return l.kernel.has(p.Name, a) && !l.kernel.has(l.peer(p).Name, a)
}

// flows says whether enough packets that were sent after a moment are answered.
func (l *lab) flows(since time.Time) bool {
	for _, s := range l.streams {
		if s.AnsweredSince(since) < int(steady/traffic.Interval) {
			return false
		}
	}
	return true
}

// until waits until something is so.
func (l *lab) until(ctx context.Context, limit time.Duration, what string, is func() bool) error {
	for end := time.Now().Add(limit); !is(); pause(ctx, glance) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("after %v it is not so that %s", limit, what)
		}
	}
	return nil
}

// keepalivedHasChosen says whether a pod alone has the floating IPs in its kernel.
func (l *lab) keepalivedHasChosen(p *pod) bool {
	for _, a := range l.sc.ips.addresses {
		if !l.inKernel(p, a) {
			return false
		}
	}
	return true
}

// wrongs says what is not as it must be.
func (l *lab) wrongs() (wrong []string) {
	h := l.holder()
	for _, a := range l.sc.ips.addresses {
		for _, p := range []*pod{l.a, l.b} {
			if has := l.kernel.has(p.Name, a); has != (p == h) {
				wrong = append(wrong, fmt.Sprintf("%s is on pod %s: %v", a, p.Name, has))
			}
		}
	}
	for i, w := range l.sc.ips.ways {
		if eni := w.holder(l.VPC); eni != h.eni {
			wrong = append(wrong, fmt.Sprintf("EC2 has %s on %s, not on %s", w, cmp.Or(eni, "no ENI"), h.eni))
		}
		if s := l.streams[i]; s.AnsweredSince(time.Now().Add(-2*steady)) < int(steady/traffic.Interval) {
			wrong = append(wrong, fmt.Sprintf("packets from %s to %s are not answered", w.from, w.addr))
		}
	}
	return wrong
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric"
)

// A change is a floating IP that came to a pod's kernel, or went.
type change struct {
	at   time.Time
	pod  string
	addr netip.Addr
	has  bool
}

// A kernel notes when floating IPs come and go in pods: what keepalived does,
// and what the registrar sees.
type kernel struct {
	addrs []netip.Addr
	stop  chan struct{}

	mu      sync.Mutex
	changes []change
}

func newKernel(addrs []netip.Addr) *kernel { return &kernel{addrs: addrs, stop: make(chan struct{})} }

// follow notes the changes in a pod until close.
func (k *kernel) follow(p *fabric.Pod) error {
	ns := netns.NsHandle(p.FD())
	updates := make(chan netlink.AddrUpdate)
	err := netlink.AddrSubscribeWithOptions(updates, k.stop, netlink.AddrSubscribeOptions{Namespace: &ns})
	if err != nil {
		return fmt.Errorf("watch the addresses of pod %s: %w", p.Name, err)
	}
	go func() { // ends when close has ended the subscription
		for u := range updates {
			at := time.Now()
			if a, ok := netip.AddrFromSlice(u.LinkAddress.IP); ok {
				k.note(change{at, p.Name, a.Unmap(), u.NewAddr})
			}
		}
	}()
	return nil
}

// note drops what is no change: the kernel tells of an address more than once.
func (k *kernel) note(c change) {
	if !slices.Contains(k.addrs, c.addr) || k.has(c.pod, c.addr) == c.has {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.changes = append(k.changes, c)
}

// has says whether a pod has an address now.
func (k *kernel) has(pod string, a netip.Addr) bool {
	c, ok := k.last(func(c change) bool { return c.pod == pod && c.addr == a })
	return ok && c.has
}

// last is the last change for which is says yes.
func (k *kernel) last(is func(change) bool) (change, bool) {
	all := k.all()
	for _, c := range slices.Backward(all) {
		if is(c) {
			return c, true
		}
	}
	return change{}, false
}

func (k *kernel) all() []change {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.changes)
}

func (k *kernel) close() { close(k.stop) }

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vswitch

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
)

// A Service is something of AWS itself that packets reach at addresses of no
// ENI, such as IMDS. The subnet's router leads there, and answers ARP for it.
type Service struct {
	// Addrs are its IPv4 addresses.
	Addrs []netip.Addr
	// MAC is what frames to it are addressed to.
	MAC MAC
	// ENI is the id of the only ENI that reaches it, and that everything goes
	// to which it sends, whatever the destination. "" is all of them, and then
	// the VPC says where an answer goes.
	ENI string
}

// A ServicePort is a Service that is plugged in.
type ServicePort struct {
	Service
	port    Port
	blocked atomic.Bool
	unplug  func() error
	done    chan struct{}
}

// Block makes the service take no packets, as a firewall would, or lets them
// through again.
func (p *ServicePort) Block(blocked bool) { p.blocked.Store(blocked) }

// Close unplugs the service and closes its port. Closing twice is success.
func (p *ServicePort) Close() error { return p.unplug() }

// PlugService connects p to a service and reads from it until it is closed. On
// error p is the caller's to close.
func (s *Switch) PlugService(v Service, p Port) (*ServicePort, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, errors.New("plug a service into the switch: it is closed")
	case v.ENI != "" && s.enis[v.ENI] == nil:
		return nil, fmt.Errorf("plug a service into ENI %s: the switch does not know it", v.ENI)
	}
	t := &ServicePort{Service: v, port: p, done: make(chan struct{})}
	shut := sync.OnceValue(p.Close)
	t.unplug = func() error {
		s.mu.Lock()
		s.services = slices.DeleteFunc(slices.Clone(s.services), func(o *ServicePort) bool { return o == t })
		s.mu.Unlock()
		err := shut()
		<-t.done
		return err
	}
	s.services = append(slices.Clip(s.services), t)
	go s.readService(t)
	return t, nil
}

// service returns what e reaches at dst; nil when that is no service.
func (s *Switch) service(e *eni, dst netip.Addr) *ServicePort {
	s.mu.RLock()
	all := s.services
	s.mu.RUnlock()
	for _, t := range all {
		if (t.ENI == "" || t.ENI == e.ID) && slices.Contains(t.Addrs, dst) {
			return t
		}
	}
	return nil
}

// serve hands the packet in f to a service.
func (s *Switch) serve(e *eni, f frame, to *ServicePort, src, dst netip.Addr) {
	f.readdress(to.MAC, e.RouterMAC)
	e.sent.Add(1)
	if to.blocked.Load() || to.port.WriteFrame(f) != nil {
		const minusOne = ^uint64(0)
		e.sent.Add(minusOne)
		e.drop(Unplugged, src, dst)
	}
}

func (s *Switch) readService(t *ServicePort) {
	defer close(t.done)
	buf := make([]byte, maxFrame)
	for {
		n, err := t.port.ReadFrame(buf)
		if err != nil {
			return
		}
		if n >= ethernetLen {
			s.handleService(t, frame(buf[:n]))
		}
	}
}

// handleService does with a frame from a service what a VPC does. All its
// neighbours are behind one router.
func (s *Switch) handleService(t *ServicePort, f frame) {
	if f.etherType() == etherARP {
		if _, _, ok := parseARP(f); ok {
			_ = t.port.WriteFrame(answerARP(f, serviceRouter)) // a lost answer is asked for again
		}
		return
	}
	src, dst, ok := f.addresses()
	if !ok || !slices.Contains(t.Addrs, src) || t.blocked.Load() {
		return // the kernel's own chatter
	}
	id := t.ENI
	if id == "" {
		s.mu.RLock()
		anyENI := s.first
		s.mu.RUnlock()
		id, _ = s.vpc.Deliver(anyENI, dst)
	}
	owner, ports := s.lookup(id)
	if owner == nil {
		return
	}
	f.readdress(owner.MAC, owner.RouterMAC)
	owner.delivered.Add(1)
	if !write(ports, nil, f) {
		const minusOne = ^uint64(0)
		owner.delivered.Add(minusOne)
	}
}

// serviceRouter is the MAC address that services see of the VPC.
var serviceRouter = MAC{0x02, 0, 0, 0, 0, 0x02}

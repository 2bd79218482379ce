// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vswitch

import (
	"errors"
	"fmt"
	"slices"
	"sync"
)

// maxFrame is the longest frame that a port may carry: a jumbo frame of
// EC2's MTU of 9001, with room for VLAN tags.
const maxFrame = 9216

// Options are the questions that no public source settles.
type Options struct {
	// AnswerDAD makes the VPC answer duplicate address detection (IPv6) and
	// ARP probes for addresses that another ENI owns. Those of the asking ENI
	// are never answered.
	AnswerDAD bool
}

// A Switch joins the ports of all ENIs of a VPC. Close it to stop its
// goroutines: one for each port.
type Switch struct {
	vpc  VPC
	opts Options
	done sync.WaitGroup

	mu     sync.RWMutex
	enis   map[string]*eni
	first  string // the id of the ENI that was added first
	closed bool
	// copied on write
	services []*ServicePort
}

type eni struct {
	ENI
	*counters
	ports []*port // copied on write, under Switch.mu
}

type port struct {
	Port
	eni  *eni
	role Role
	shut func() error  // closes Port, once
	done chan struct{} // closed when the reader has ended
}

// New returns a switch without ENIs.
func New(vpc VPC, opts Options) *Switch {
	return &Switch{vpc: vpc, opts: opts, enis: make(map[string]*eni)}
}

// AddENI makes e known. Packets for it are dropped until a port is plugged in.
func (s *Switch) AddENI(e ENI) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.enis[e.ID] != nil {
		return fmt.Errorf("add ENI %s to the switch: it is there already", e.ID)
	}
	if len(s.enis) == 0 {
		s.first = e.ID
	}
	s.enis[e.ID] = &eni{ENI: e, counters: newCounters()}
	return nil
}

// Plug connects p to an ENI and reads from it until it is unplugged. unplug
// closes p and returns when no frame of it is on its way any more; it may be
// called more than once. On error p is the caller's to close.
func (s *Switch) Plug(eniID string, role Role, p Port) (unplug func() error, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.enis[eniID]
	switch {
	case s.closed:
		return nil, errors.New("plug a port into the switch: it is closed")
	case e == nil:
		return nil, fmt.Errorf("plug a port into ENI %s: the switch does not know it", eniID)
	}
	t := &port{Port: p, eni: e, role: role, shut: sync.OnceValue(p.Close), done: make(chan struct{})}
	e.ports = append(slices.Clip(e.ports), t)
	s.done.Add(1)
	go s.read(t)
	return sync.OnceValue(func() error { return s.unplug(t) }), nil
}

func (s *Switch) unplug(t *port) error {
	s.mu.Lock()
	t.eni.ports = slices.DeleteFunc(slices.Clone(t.eni.ports), func(o *port) bool { return o == t })
	s.mu.Unlock()
	err := t.shut()
	<-t.done
	return err
}

// Counters returns what happened to the frames of an ENI so far.
func (s *Switch) Counters(eniID string) Counters {
	s.mu.RLock()
	e := s.enis[eniID]
	s.mu.RUnlock()
	if e == nil {
		return Counters{}
	}
	return e.read()
}

// Close unplugs every port and waits until all of them are quiet.
func (s *Switch) Close() error {
	s.mu.Lock()
	s.closed = true
	var all []*port
	for _, e := range s.enis {
		all = append(all, e.ports...)
		e.ports = nil
	}
	services := s.services
	s.mu.Unlock()
	// Side by side, since the kernel takes some 20 ms to remove a tap device.
	errs := make([]error, len(all)+len(services))
	var shut sync.WaitGroup
	for i, v := range services {
		shut.Go(func() { errs[len(all)+i] = v.Close() })
	}
	for i, t := range all {
		shut.Go(func() { errs[i] = t.shut() })
	}
	shut.Wait()
	s.done.Wait()
	return errors.Join(errs...)
}

// lookup returns an ENI with the ports that it has now.
func (s *Switch) lookup(eniID string) (*eni, []*port) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.enis[eniID]
	if e == nil {
		return nil, nil
	}
	return e, e.ports
}

func (s *Switch) read(t *port) {
	defer s.done.Done()
	defer close(t.done)
	buf := make([]byte, maxFrame)
	for {
		n, err := t.ReadFrame(buf)
		if err != nil {
			return
		}
		if n >= ethernetLen {
			s.handle(t, frame(buf[:n]))
		}
	}
}

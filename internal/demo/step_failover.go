// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/traffic"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

const (
	// steadyPackets must be answered before a failover begins, and after it.
	steadyPackets = 500
	// detection is how long keepalived takes to notice that its peer is dead:
	// three advertisements of 100 ms. Source: RFC 9568, Active_Down_Interval.
	detection = 300 * time.Millisecond
)

// handOver gives the active pod the floating addresses, then hands them over
// to the standby, and back.
func (s *story) handOver(ctx context.Context) error {
	both := floating()
	s.t.chapter("5. Failover: keepalived hands the floating addresses over")
	for _, pod := range []string{active, standby} {
		e, err := traffic.StartEcho(ctx, s.sim.Fabric.Pod(pod).Namespace, both.addrs)
		if err != nil {
			return err
		}
		s.echoes[pod] = e
	}
	s.t.say("active gets %s and %s on net1", both.addrs[0], both.addrs[1])
	if err := s.firstHome(ctx, both, active); err != nil {
		return err
	}
	s.t.say("client sends each 1,000 numbered packets a second, and counts the answers")
	err := s.failOver(ctx, both, "handed over", active, standby, func([]*traffic.Stream) error {
		s.t.say("both addresses are taken off active and put on standby")
		return s.giveUp(both, active)
	})
	if err != nil {
		return err
	}
	err = s.failOver(ctx, both, "handed back", standby, active, func([]*traffic.Stream) error {
		s.t.say("and back: both are taken off standby and put on active")
		return s.giveUp(both, standby)
	})
	if err != nil {
		return err
	}
	s.t.table(failoverTable(s.report.Failovers))
	s.t.note("\"EC2's ok after\" counts from the address' appearance in the pod's kernel. \"Of that EC2\" is " +
		"while EC2 had a call in hand; the rest is the registrar's.")
	s.t.note("IPv6 takes longer where the new owner's call reaches EC2 before the old one's release.")
	return nil
}

// powerCut takes the active pod's worker away, so that nobody releases.
func (s *story) powerCut(ctx context.Context) error {
	s.t.chapter("7. Failover: worker1 loses power, and nobody releases anything")
	err := s.powerLost(ctx, floating(), "power cut", active, standby, "worker1 and active are cut off; keepalived on standby notices")
	if err != nil {
		return err
	}
	s.t.table(failoverTable(s.report.Failovers[len(s.report.Failovers)-1:]))
	s.t.note("%s of each gap are keepalived's. IPv4 moves in one call. EC2 has no such call for IPv6: it "+
		"refuses, so the registrar asks who has the address, takes it off there and assigns it here.", millis(detection))
	return nil
}

// powerLost is failOver from a pod whose worker loses its power. What is told of
// it ends with how long it takes to be noticed.
func (s *story) powerLost(ctx context.Context, both set, name, from, to, told string) error {
	err := s.failOver(ctx, both, name, from, to, func(streams []*traffic.Stream) error {
		s.t.say("%s after %s", told, millis(detection))
		if err := s.sim.Fabric.Pod(from).Worker().Remove(); err != nil {
			return err
		}
		pause(ctx, time.Until(streams[0].LastAnswer().Add(detection)))
		return nil
	})
	delete(s.sidecars, from)
	s.echoes[from].Close()
	delete(s.echoes, from)
	return err
}

// firstHome puts floating addresses on a pod and waits for EC2.
func (s *story) firstHome(ctx context.Context, f set, pod string) error {
	appeared, err := s.take(f, pod)
	if err != nil {
		return err
	}
	for i, a := range f.addrs {
		at, ok := s.awaitAck(ctx, f, a, pod, appeared[i])
		want := f.at(a, f.enis[pod])
		if ok {
			want += fmt.Sprintf(", %s after it appeared", millis(at.Sub(appeared[i])))
		}
		if err := s.demand(ok, want, s.ownerOf(f, a)); err != nil {
			return err
		}
	}
	return nil
}

// failOver moves floating addresses to a pod while the client sends, and
// measures. leave makes the pod that has them lose them.
func (s *story) failOver(ctx context.Context, both set, name, from, to string, leave func([]*traffic.Stream) error) error {
	var streams []*traffic.Stream
	defer func() {
		for _, st := range streams {
			st.Close()
		}
	}()
	for _, a := range both.addrs {
		st, err := traffic.Start(ctx, s.sim.Fabric.Pod(client).Namespace, a)
		if err != nil {
			return err
		}
		streams = append(streams, st)
	}
	steady := s.answersFlow(ctx, streams, time.Now())
	if err := s.demand(steady, "the client's packets are answered by "+from, "Not enough answers came."); err != nil {
		return err
	}
	began := time.Now()
	if err := leave(streams); err != nil {
		return err
	}
	appeared, err := s.take(both, to)
	if err != nil {
		return err
	}
	pod := s.sim.Fabric.Pod(to)
	f := Failover{Name: name}
	for i, a := range both.addrs {
		at, ok := s.awaitAck(ctx, both, a, to, appeared[i])
		if err := s.demand(ok, both.at(a, both.enis[to]), s.ownerOf(both, a)); err != nil {
			return err
		}
		own := about(since(s.sim.VPC.Calls(), appeared[i]), pod.Worker().Name, a)
		f.Families = append(f.Families, Move{
			Address:   a,
			Requested: Millis(own[0].Time.Sub(appeared[i])), Acknowledged: Millis(at.Sub(appeared[i])),
			EC2: Millis(model.InHand(own, appeared[i], at)),
		})
	}
	flow := s.answersFlow(ctx, streams, time.Now())
	for i, l := range traffic.Finish(streams) {
		m := &f.Families[i]
		m.Sent, m.Lost, m.Gap = l.Sent, l.Lost, Millis(l.Gap)
	}
	calls := since(s.sim.VPC.Calls(), began)
	if len(both.tables) == 0 {
		calls = routeless(calls) // core-a releases its routes meanwhile
	}
	f.Calls = tally(calls)
	s.report.Failovers = append(s.report.Failovers, f)
	return s.demand(flow, "the client's packets are answered again, now by "+to, "Not enough answers came.")
}

// answersFlow waits until enough packets of each stream that were sent after a
// moment are answered.
func (s *story) answersFlow(ctx context.Context, streams []*traffic.Stream, after time.Time) bool {
	return s.await(ctx, func() bool {
		for _, st := range streams {
			if st.AnsweredSince(after) < steadyPackets {
				return false
			}
		}
		return true
	})
}

// take gives a pod floating addresses, and says when each appeared.
func (s *story) take(f set, pod string) (appeared []time.Time, err error) {
	for _, a := range f.addrs {
		appeared = append(appeared, time.Now())
		if err := s.sim.Fabric.Pod(pod).AddAddress(sigInterface, only(a)); err != nil {
			return nil, err
		}
	}
	return appeared, nil
}

// giveUp takes floating addresses off a pod.
func (s *story) giveUp(f set, pod string) error {
	for _, a := range f.addrs {
		if err := s.sim.Fabric.Pod(pod).DelAddress(sigInterface, only(a)); err != nil {
			return err
		}
	}
	return nil
}

// awaitAck waits until EC2 has told that a pod's ENI has the address.
func (s *story) awaitAck(ctx context.Context, f set, a netip.Addr, pod string, after time.Time) (at time.Time, ok bool) {
	e, _ := s.sim.VPC.ENI(f.enis[pod])
	s.await(ctx, func() bool {
		at, ok = acknowledged(s.sim.VPC.Calls(), a, e.ID, after, f.ids()...)
		return ok
	})
	return at, ok
}

// ownerOf says who has an address, for a check that failed.
func (s *story) ownerOf(f set, a netip.Addr) string {
	if len(f.tables) > 0 {
		var all []string
		for _, t := range f.tables {
			all = append(all, fmt.Sprintf("%s leads it to %s.", t, s.routedTo(t, a)))
		}
		return strings.Join(all, " ")
	}
	e, ok := s.sim.VPC.Owner(a)
	if !ok {
		return "No ENI has it."
	}
	return fmt.Sprintf("%s has it.", e.Name)
}

func only(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/traffic"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/vswitch"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// A pair is who pings whom over which of the target's interfaces. Pods that
// share an ENI are in no pair: the worker's kernel joins them without EC2.
type pair struct{ from, to, iface string }

func pairs() []pair {
	return []pair{
		{active, standby, "net1"}, {active, standby, "net2"},
		{client, active, "net1"}, {client, active, "net2"}, {client, standby, "net1"},
	}
}

// A pairResult is what became of a pair's pings, IPv4 then IPv6.
type pairResult struct {
	pair
	pings [2]pinged
}

type pinged struct {
	src, dst netip.Addr
	eni      string // that the requests leave by
	ok       bool
	rtt      time.Duration
}

// pingAll pings all pairs at once, each for a while at most.
func (s *story) pingAll(ctx context.Context, all []pair, topo topology.Topology, within time.Duration) ([]pairResult, error) {
	out := make([]pairResult, len(all))
	errs := make([]error, 2*len(all))
	var wait sync.WaitGroup
	for i, p := range all {
		out[i].pair = p
		from := s.sim.Fabric.Pod(p.from)
		for f := range 2 {
			g := &out[i].pings[f]
			g.src, g.dst, g.eni = route(topo, p, f == 1)
			s.pings++ // a new id each: the kernel may keep old requests until ARP has an answer
			id, err := s.pings, &errs[2*i+f]
			wait.Go(func() { g.rtt, g.ok, *err = traffic.Ping(ctx, from.Namespace, g.src, g.dst, id, within) })
		}
	}
	wait.Wait()
	i := slices.IndexFunc(errs, func(err error) bool { return err != nil })
	if i >= 0 {
		return nil, errs[i]
	}
	return out, nil
}

// route is the way of a ping: from the sender's interface of the same name, or
// else from its only one.
func route(t topology.Topology, p pair, ipv6 bool) (src, dst netip.Addr, eni string) {
	of := func(pod, iface string) (netip.Addr, string) {
		ifs := podOf(t, pod).Interfaces
		i := max(0, slices.IndexFunc(ifs, func(i topology.Interface) bool { return i.Name == iface }))
		for _, a := range ifs[i].Addresses {
			if a.Addr().Is6() == ipv6 {
				return a.Addr(), ifs[i].ENI
			}
		}
		return netip.Addr{}, ""
	}
	src, eni = of(p.from, p.iface)
	dst, _ = of(p.to, p.iface)
	return src, dst, eni
}

// why is the reason of the VPC for dropping a ping's packets.
func why(traffic []vpcsim.Traffic, g pinged) string {
	for _, t := range traffic {
		if t.ENI != g.eni {
			continue
		}
		for _, d := range t.Drops {
			if d.Src != g.src || d.Dst != g.dst {
				continue
			}
			switch d.Reason {
			case vswitch.Unmapped:
				return fmt.Sprintf("unmapped: no ENI has %s", g.dst)
			case vswitch.SourceCheck:
				return fmt.Sprintf("source check: %s is not %s's", g.src, g.eni)
			default:
				return string(d.Reason)
			}
		}
	}
	return "unknown"
}

// dropped counts the packets that the VPC has dropped for a reason.
func (s *story) dropped(reason vswitch.Reason) (n uint64) {
	for _, e := range s.sim.VPC.ENIs() {
		n += s.sim.Fabric.Counters(e.Name).Dropped[reason]
	}
	return n
}

// silenceTable shows pings without answers, with the reason of the IPv4 one.
func silenceTable(all []pairResult, traffic []vpcsim.Traffic) table {
	t := table{head: []string{"from", "to", "over", "IPv4", "IPv6", "what the VPC did with the IPv4 packets"}}
	for _, r := range all {
		t.rows = append(t.rows, []cell{{text: r.from}, {text: r.to}, {text: r.iface},
			heard(r.pings[0], bad), heard(r.pings[1], bad), {text: why(traffic, r.pings[0])}})
	}
	return t
}

// voicesTable shows pings beside what they were before.
func voicesTable(before, now []pairResult) table {
	t := table{head: []string{"from", "to", "over", "IPv4 before", "now", "IPv6 before", "now"}, numbers: []int{4, 6}}
	for i, r := range now {
		row := []cell{{text: r.from}, {text: r.to}, {text: r.iface}}
		for f := range r.pings {
			row = append(row, heard(before[i].pings[f], faint), heard(r.pings[f], bad))
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// heard is the round trip in a table, or that there was none, in that tone.
func heard(g pinged, none tone) cell {
	if !g.ok {
		return cell{"no answer", none}
	}
	return cell{millis(g.rtt), good}
}

// unlike names the pairs whose pings were answered, or were not, against what
// was wanted.
func unlike(all []pairResult, wanted bool) (names []string) {
	for _, r := range all {
		for _, g := range r.pings {
			if g.ok != wanted {
				names = append(names, fmt.Sprintf("%s → %s at %s", r.from, r.to, g.dst))
			}
		}
	}
	return names
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// moveParallel bounds the moves that are under way at once in one Do.
	moveParallel = 4
	// moveRequests are set aside for a move before it begins: the unassign, two
	// assigns, and one to give back. An address that was taken and not assigned
	// is nobody's: never begin what cannot be ended.
	moveRequests = 4
	// moveGrace is how long a Do waits for answers that nobody waits for any more.
	// What EC2 acknowledges until then is known.
	moveGrace = 50 * time.Millisecond
)

// hurry is assign for urgent claims of IPv6 addresses.
func (r *run) hurry(ctx context.Context, addrs []netip.Addr) {
	if len(addrs) == 0 {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	r.flights = &flights{}
	defer func() {
		late := time.AfterFunc(moveGrace, cancel)
		r.flights.Wait()
		late.Stop()
		cancel()
		r.landings()
	}()
	from := map[string][]netip.Addr{}
	for _, a := range addrs {
		owner := r.call.Owners[a]
		if owner == r.call.ENI {
			owner = ""
		}
		from[owner] = append(from[owner], a)
	}
	if stale, v := r.swaps(ctx, from, false); v != nil {
		r.lookUp(ctx)
		if rest := r.arrived(ctx, stale); len(rest) > 0 {
			r.owned(ctx, rest, *v)
		}
	}
}

// arrived waits for the assigns of moves from stale owners that are still under
// way, settles what they brought here after all, and returns the others. Without
// that an address that EC2 gave us, and somebody else took since, would be taken
// back at once (law 4).
func (r *run) arrived(ctx context.Context, stale []netip.Addr) []netip.Addr {
	for _, s := range r.stalled {
		for ; s.flying > 0; s.flying-- {
			if a := <-s.assigned; a.refusal == nil {
				r.acknowledge(ctx, s.addrs, a.listed)
				break
			}
		}
	}
	return slices.DeleteFunc(stale, func(a netip.Addr) bool {
		_, settled := r.settled[a]
		return settled
	})
}

// swaps moves addresses from the ENIs that hold them, a few at once, and looks
// for the owners of those below "". Where the owners are not sure it returns
// the addresses that they do not hold, and why EC2 refused to assign them.
func (r *run) swaps(ctx context.Context, from map[string][]netip.Addr, sure bool) (stale []netip.Addr, why *verdict) {
	owners := slices.Sorted(maps.Keys(from))
	parts := make([]*run, len(owners))
	left := make([]*verdict, len(owners))
	slots := make(chan struct{}, moveParallel)
	var all sync.WaitGroup
	for i, owner := range owners {
		part := &run{client: r.client, call: r.call, settled: map[netip.Addr]Outcome{}, stop: r.stop,
			early: r.early, holders: maps.Clone(r.holders), insisted: r.insisted, own: r.own, ownAsked: r.ownAsked, flights: r.flights, quit: r.quit}
		part.call.Addrs = from[owner]
		parts[i] = part
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			var ok bool
			switch part.left, ok = r.left.reserve(moveRequests); {
			case !ok:
				part.refuse(from[owner], postponed(r.request("")))
			case owner == "":
				part.lookAhead(ctx, from[owner])
			default:
				left[i] = part.swap(ctx, owner, from[owner], sure)
			}
			part.left.giveUp()
		})
	}
	all.Wait()
	for i, part := range parts {
		maps.Copy(r.settled, part.settled)
		for a, owner := range part.freed {
			r.free(owner, a)
		}
		for a, v := range part.puzzling {
			r.puzzle(a, v)
		}
		if part.stop != nil {
			r.stop = part.stop
		}
		r.stalled = append(r.stalled, part.stalled...)
		if left[i] != nil {
			stale, why = append(stale, from[owners[i]]...), left[i]
		}
	}
	slices.SortFunc(stale, netip.Addr.Compare)
	return stale, why
}

// unclear looks up who has what was taken and then refused in words that may
// mean an owner: where nobody has it, they mean something that will last, and the
// address is given back rather than left on nobody.
func (r *run) unclear(ctx context.Context) {
	if len(r.puzzling) == 0 || !r.left.has(2) { // one to look, one to give back
		return
	}
	holders, v := r.find(ctx, slices.SortedFunc(maps.Keys(r.puzzling), netip.Addr.Compare))
	if v != nil {
		return // the owner is still the likeliest
	}
	for a, v := range r.puzzling {
		if _, held := holders[a]; !held && r.settled[a].Reason != nil {
			r.settle(a, v.reason(a))
		}
	}
}

// giveBack assigns addresses that were taken, and cannot come here for a reason
// that will last or are not wanted here any more, to the ENIs that they were taken from. If somebody has them by
// now EC2 refuses that.
func (r *run) giveBack(ctx context.Context) {
	to := map[string][]netip.Addr{}
	for _, a := range r.call.Addrs {
		owner, taken := r.freed[a]
		if why := r.settled[a].Reason; taken && why != nil && (r.quitted() || why.Class == Permanent || why.Class == Gone || why.Class == Denied) {
			to[owner] = append(to[owner], a)
		}
	}
	for _, owner := range slices.Sorted(maps.Keys(to)) {
		said := fmt.Sprintf("It was taken from %s and given back.", owner)
		if ctx.Err() != nil || !r.left.take() {
			said = fmt.Sprintf("It was taken from %s and not given back.", owner)
		} else {
			back := &run{client: r.client, call: Call{Verb: Hold, ENI: owner, Family: IPv6}}
			if _, v := back.ask(ctx, to[owner]); v != nil {
				said = fmt.Sprintf("It was taken from %s and could not be given back: %s.", owner, v.quote())
				r.unassignable(to[owner])
			}
		}
		for _, a := range to[owner] {
			r.settled[a].Reason.Text += " " + said
		}
	}
}

// unassignable goes on after EC2 refused addresses that nobody has to their old
// owner, too: it may not know yet that they are free, and is asked again soon.
func (r *run) unassignable(addrs []netip.Addr) {
	for _, a := range addrs {
		if _, ok := r.puzzling[a]; ok {
			why := r.settled[a].Reason
			why.Code, why.Class, why.Owner, why.Cure = AddressContested, Transient, r.freed[a], ""
		}
	}
}

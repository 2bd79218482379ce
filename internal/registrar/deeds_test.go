// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package registrar_test

import (
	"net/netip"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// slowness is what "slow" adds to a call.
const slowness = 3 * time.Second

// do makes one thing happen.
func (w *world) do(s step) {
	p, a := w.pods[s.Pod], floating[s.Addr]
	fault := func(f model.Fault) {
		if f.For == 0 {
			f.Count = s.N
		}
		w.vpc.Inject(f)
	}
	actions := []string{"Assign*", "Unassign*", "Describe*", "*Route", "*Addresses", "*"}
	imds := func(f func(*model.IMDSState)) { w.vpc.TuneIMDS(p.home.worker, f) }
	switch s.Do {
	case "appear":
		p.add(a)
	case "vanish":
		p.remove(a)
	case "move":
		w.removeAll(a)
		w.wait(time.Duration(s.N-1) * time.Millisecond)
		p.add(a)
	case "flap":
		for range s.N {
			p.remove(a)
			w.wait(time.Duration(s.N) * 10 * time.Millisecond)
			p.add(a)
		}
	case "both": // a split-brain
		w.pods[1].add(a)
		w.pods[s.Pod/2*2].add(a)
	case "crash":
		p.crash()
		w.wait(time.Duration(s.N*s.N*s.N) * 100 * time.Millisecond) // up to twice the hold-down
		w.restart(p)
	case "crash in flight":
		p.add(a)
		w.wait(time.Duration(s.N) * w.h.latency / 6)
		p.crash()
		w.wait(time.Duration(s.N/4) * 12 * time.Second)
		w.restart(p)
	case "terminate":
		p.replace()
	case "power cut":
		w.cut(p.home.worker)
	case "power":
		w.dark = map[string]bool{}
		w.startAll()
	case "annotate":
		p.annotate(w.floatingFor(p.home, s.N%2 == 0), s.N > 4)
	case "new ENI":
		w.replaceENI()
	case "rival takes":
		if !routed(a) {
			w.rival(a)
		}
	case "rival removes":
		w.unassign(a)
	case "throttled":
		fault(model.Fault{Code: "RequestLimitExceeded"})
	case "nine of ten":
		fault(model.Fault{Code: "RequestLimitExceeded", Spare: 10, For: 20 * time.Second})
	case "dropped before":
		fault(model.Fault{Drop: model.DropBefore})
	case "dropped after":
		fault(model.Fault{Drop: model.DropAfter})
	case "broken":
		fault(model.Fault{Code: "InternalError", HTTPStatus: 500})
	case "slow":
		fault(model.Fault{Delay: slowness})
	case "EC2 down":
		fault(model.Fault{Drop: model.DropBefore, For: time.Minute})
	case "denied":
		w.blind = w.blind || s.N != 1 && s.N != 2
		fault(model.Fault{Action: actions[s.N-1], Code: "UnauthorizedOperation", For: time.Duration(s.N) * 20 * time.Second})
	case "full":
		fault(model.Fault{Action: "Assign*", Code: "PrivateIpAddressLimitExceeded"})
	case "IMDS down", "IMDS up":
		imds(func(i *model.IMDSState) { i.Down, i.Blocked = s.Do == "IMDS down", false })
	case "IMDS blocked":
		imds(func(i *model.IMDSState) { i.Blocked = true })
	case "IMDS stale":
		imds(func(i *model.IMDSState) { i.Staleness = time.Duration(s.N) * 15 * time.Second })
	case "deaf", "hearing":
		w.talk.off.Store(s.Do == "deaf")
	case "faults end":
		w.endFaults()
	}
}

func (w *world) removeAll(a netip.Addr) {
	for _, p := range w.pods {
		p.remove(a)
	}
}

// restart starts a registrar again in the same pod, if that is still there.
func (w *world) restart(p *pod) {
	if !p.leaving && !w.dark[p.home.worker] {
		p.start(false)
	}
}

// cut takes the power from a worker: its pods are no more, its ENIs keep what
// they have.
func (w *world) cut(worker string) {
	w.dark[worker] = true
	for _, p := range w.pods {
		if p.home.worker == worker {
			p.orphan()
			p.crash()
			p.clear()
			p.store.forget()
		}
	}
}

// replaceENI deletes the ENI of worker w2; its pod's interface comes back on
// another.
func (w *world) replaceENI() {
	old, there := w.vpc.ENI("w2-sig")
	if !there {
		return
	}
	p := w.pods[1]
	next, _ := w.vpc.ENI("w2-new")
	w.audit.Vanishes(old.ID)
	w.vpc.DeleteENI("w2-sig")
	p.rehome(next)
}

func (w *world) endFaults() {
	for _, f := range w.vpc.Faults() {
		w.vpc.RemoveFault(f.ID)
	}
	w.vpc.TuneIMDS("", func(i *model.IMDSState) { i.Down, i.Blocked = false, false })
	w.talk.off.Store(false)
	// The rival goes: what it has is free again.
	e, _ := w.vpc.ENI("rival-sig")
	for _, a := range e.Addresses() {
		if a != e.Primary {
			w.unassign(a)
		}
	}
}

// calm ends all faults and gives every floating address to its last holders.
func (w *world) calm() {
	w.endFaults()
	w.vpc.TuneIMDS("", func(i *model.IMDSState) { i.Staleness = 0 })
	if !w.h.dark {
		w.dark = map[string]bool{}
	}
	w.untilGone()
	for _, p := range w.pods {
		p.annotate(w.floatingFor(p.home, w.h.named), false)
	}
	if w.h.barred {
		w.vpc.Deny("", "UnassignPrivateIpAddresses", "DeleteRoute") // an IPv6 address could not move without
	}
	w.startAll()
	for i, a := range floating {
		for j, p := range w.pods {
			if !w.wanted(i, j) {
				p.remove(a)
			}
		}
		for j, p := range w.pods {
			if w.wanted(i, j) {
				p.add(a)
			}
		}
	}
}

func (w *world) wanted(addr, pod int) bool {
	for _, j := range w.h.last[addr] {
		if j == pod {
			return true
		}
	}
	return false
}

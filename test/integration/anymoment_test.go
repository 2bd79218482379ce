// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

const (
	// players run side by side, each with its own seed and lab.
	players = 4
	// longest is a little more than a start needs until all calls are answered.
	longest = 150 * time.Millisecond
)

// play runs rounds with random numbers, in labs with an EC2 that is slow and
// now and then loses an answer. The seed is in the test's name.
func play(t *testing.T, rounds int, one func(*lab, *rand.Rand)) {
	t.Parallel()
	for range players {
		seed := rand.Uint64()
		t.Run(strconv.FormatUint(seed, 36), func(t *testing.T) {
			t.Parallel()
			l := newLab(t, []string{"upf w1 net1=w1-sig,10.0.1.100/24,2001:db8:0:1::100/64 net2=w1-media,10.0.2.100/24"}, latent(10*time.Millisecond, 20*time.Millisecond))
			r := rand.New(rand.NewPCG(seed, 0))
			for round := range rounds {
				one(l, r)
				if t.Failed() {
					t.Fatalf("in round %d", round)
				}
			}
		})
	}
}

func sometime(r *rand.Rand) { time.Sleep(time.Duration(r.Int64N(int64(longest)))) }

// loseAnswer befalls one call to come, in every third case.
func (l *lab) loseAnswer(r *rand.Rand) (remove func()) {
	if r.IntN(3) > 0 {
		return func() {}
	}
	drop := []model.Drop{model.DropBefore, model.DropAfter}[r.IntN(2)]
	return l.VPC.Inject(model.Fault{Action: "*ssign*", Drop: drop, Count: 1})
}

// TestSIGTERMAtAnyMomentLeavesNothing: law 5.
func TestSIGTERMAtAnyMomentLeavesNothing(t *testing.T) {
	play(t, 15, func(l *lab, r *rand.Rand) {
		remove := l.loseAnswer(r)
		p := l.container("upf").start("sidecar")
		sometime(r)
		p.terminate()
		// Before the first line of the log it dies of the signal, with nothing asked.
		if code := p.exitCode(); code != 0 && (code != -1 || len(p.lines()) > 0) {
			l.t.Errorf("exit code %d, want 0", code)
		}
		remove()
		l.wantHeld("w1-sig")
		l.wantHeld("w1-media")
	})
}

// TestSIGKILLAtAnyMomentIsOutlived: law 6. Addresses come and go while the
// container is up and while it is down; in the end EC2 has what the pod has.
func TestSIGKILLAtAnyMomentIsOutlived(t *testing.T) {
	play(t, 4, func(l *lab, r *rand.Rand) {
		c := l.container("upf")
		there := map[string]bool{}
		for range 4 {
			remove := l.loseAnswer(r)
			p := c.start("sidecar")
			sometime(r)
			l.toggle(r, there)
			if r.IntN(2) == 0 {
				sometime(r)
			}
			p.kill()
			remove()
			l.toggle(r, there)
		}
		p := c.ready()
		l.untilHeld("w1-sig", append(present(there), "10.0.1.100", "2001:db8:0:1::100")...)
		l.untilHeld("w1-media", "10.0.2.100")
		p.terminate()
		p.wantExit(0)
		l.wantHeld("w1-sig")
		l.wantHeld("w1-media")
		l.del("upf", "net1", present(there)...)
	})
}

// toggle adds one of six floating addresses to upf, or takes it away.
func (l *lab) toggle(r *rand.Rand, there map[string]bool) {
	a := []string{"10.0.1.20%d", "2001:db8:0:1::20%d"}[r.IntN(2)]
	a = fmt.Sprintf(a, r.IntN(3))
	if there[a] = !there[a]; there[a] {
		l.add("upf", "net1", a)
	} else {
		l.del("upf", "net1", a)
	}
}

// present are the addresses that toggle has left there.
func present(there map[string]bool) (all []string) {
	for a, is := range there {
		if is {
			all = append(all, a)
		}
	}
	return all
}

// TestFlappingAddressesSettle: an EC2 that is slower than the changes.
func TestFlappingAddressesSettle(t *testing.T) {
	play(t, 1, func(l *lab, r *rand.Rand) {
		p := l.container("upf").ready()
		there := map[string]bool{}
		for range 60 {
			l.toggle(r, there)
			time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
		}
		l.untilHeld("w1-sig", append(present(there), "10.0.1.100", "2001:db8:0:1::100")...)
		p.terminate()
		p.wantExit(0)
		l.wantHeld("w1-sig")
	})
}

// TestRestartsNeverStealWhatMovedOn: law 6. What a pod had when it was killed
// may be taken by another, and no restart takes it back, however soon that is
// killed in its turn.
func TestRestartsNeverStealWhatMovedOn(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{upf, standby}, latent(10*time.Millisecond, 10*time.Millisecond))
	l.add("upf", "net1", floating4, floating6)
	old := l.container("upf")
	old.ready("--hold-down=5m").kill()
	l.add("standby", "net1", floating4, floating6)
	l.container("standby").ready()
	own := []string{"10.0.1.101", "2001:db8:0:1::101", floating4, floating6}
	l.untilHeld("w2-sig", own...)
	r := rand.New(rand.NewPCG(rand.Uint64(), 0))
	for range 20 {
		p := old.start("sidecar", "--hold-down=5m")
		sometime(r)
		p.kill()
		l.wantHeld("w2-sig", own...)
	}
	for _, c := range l.callsOf("w1") {
		if c.Action == "UnassignIpv6Addresses" && slices.Contains(c.Addresses, floating6) {
			t.Errorf("a restart asked to %s %v", c.Action, c.Addresses)
		}
	}
}

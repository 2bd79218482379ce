// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"cmp"
	"fmt"
	"math/rand/v2"
)

// A manner is a way with its name.
type manner struct {
	name string
	way  func(*world) way
	// goal says that the ratio to the lower bound is a goal of the product's.
	goal bool
}

func mannerOf(key string) (manner, error) {
	switch key {
	case "pod":
		return manner{"a registrar in each pod", newPerPod, true}, nil
	case "sample":
		return manner{"the AWS sample in each pod", newSample, false}, nil
	}
	return manner{}, fmt.Errorf("%q is no way: choose of pod, sample", key)
}

// play lets one event befall a new cluster.
func play(o options, event, key string) (result, error) {
	m, err := mannerOf(key)
	if err != nil {
		return result{}, err
	}
	c, dice := newCluster(o.workers), rand.New(rand.NewPCG(o.seed, 1<<32))
	var s *script
	switch event {
	case "restart":
		s = restart(c, o.pods, dice)
	case "zone":
		s = zoneFailure(c, o.pods, dice)
	default:
		return result{}, fmt.Errorf("%q is no event: choose of restart, zone", event)
	}
	w, err := newWorld(o, c, s.tables)
	if err != nil {
		return result{}, err
	}
	w.run(s, m.way(w), cmp.Or(o.horizon, horizon))
	r := w.count(s, m.name)
	r.goal = m.goal
	return r, w.check(s)
}

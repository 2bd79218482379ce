// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"time"
)

// A manner is a way with its name and the backoff to try with it.
type manner struct {
	name    string
	way     func(*world) way
	backoff backoff
	// goal says that the ratio to the lower bound is a goal of the product's.
	goal bool
}

// What is tried beside the product as it is.
const (
	patientShare  = 0.1
	patientUrgent = 500 * time.Millisecond
	agentCap      = time.Minute
)

func mannerOf(key string) (manner, error) {
	switch key {
	case "pod":
		return manner{name: "a registrar in each pod", way: newPerPod, goal: true}, nil
	case "patient":
		return manner{name: "tried: patient at start, urgent in a failover", way: newPerPod, backoff: backoff{share: patientShare, urgent: patientUrgent}}, nil
	case "agent":
		return manner{name: "tried: one registrar for each worker", way: newPerWorker, backoff: backoff{limit: agentCap, merge: true}}, nil
	case "sample":
		return manner{name: "the AWS sample in each pod", way: newSample}, nil
	}
	return manner{}, fmt.Errorf("%q is no way: choose of pod, patient, agent, sample", key)
}

// play lets one event befall a new cluster.
func play(o options, event, key string) (result, error) {
	m, err := mannerOf(key)
	if err != nil {
		return result{}, err
	}
	if o.limit > 0 {
		m.name += fmt.Sprintf(", cap %v", o.limit)
		m.backoff.limit = o.limit
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
	w, err := newWorld(o, c, m.backoff, s.tables)
	if err != nil {
		return result{}, err
	}
	w.run(s, m.way(w), key == "agent", cmp.Or(o.horizon, horizon))
	r, err := w.count(s, m.name)
	r.goal = m.goal
	return r, err
}

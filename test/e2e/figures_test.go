// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

const (
	// figurePods is how many pods of each kind are started, one after the other.
	figurePods = 10
	// shareLimit is what the registrar may take of a pod's start, with EC2.
	shareLimit = 300 * time.Millisecond
)

// eniN3 is the network n3 on the native worker, whose kernel need not have
// ipvlan: the pod, one at a time, gets the ENI's own interface.
var eniN3 = n3(`{"type": "host-device", "device": "eth1", "capabilities": {"ips": true}, "ipam": {"type": "static"}}`)

// A kind of pods whose starts are compared.
type kind struct{ name, inject, addresses string }

var kinds = []kind{
	{name: "without", addresses: "10.0.3.91/24"},
	{name: "init", inject: "init", addresses: "10.0.3.92/24"},
	{name: "sidecar", inject: "sidecar", addresses: "10.0.3.93/24"},
	{name: "init-dual", inject: "init", addresses: "10.0.3.94/24 2001:db8:0:3::94/64"},
	{name: "sidecar-dual", inject: "sidecar", addresses: "10.0.3.95/24 2001:db8:0:3::95/64"},
}

// What a pod's start takes on a native worker without the registrar, in mode
// init and in mode sidecar, and what of the difference is whose.
func TestFigures(t *testing.T) {
	s := tellAside(t)
	s.apply(eniN3)
	found := map[string]figures{}
	for i := range figurePods {
		for _, k := range kinds {
			p := pod{name: fmt.Sprintf("%s-%d", k.name, i), worker: native, inject: k.inject, addresses: strings.Fields(k.addresses)}
			takeBack(t, native) // mode init has released nothing
			s.create(p)
			s.running(p.name)
			found[k.name] = append(found[k.name], s.timeline(p, s.started("native, "+k.name, p.name)))
			s.gone(p.name)
		}
	}
	// The first thing that an application does is to tell when it started: then
	// the process is there, and later containerd says so.
	load := strings.Join(strings.Fields(native.run(t, "cat", "/proc/loadavg"))[:3], " ")
	s.say("the machine's load was %s", load)
	without := found["without"]
	var late []time.Duration
	for _, l := range without {
		late = append(late, l.running.Sub(l.application))
	}
	lag := median(late)
	s.say("containerd says that a container runs %s after its process was started", describe(late))
	base := median(without.of(lag, everyPhase...))
	for _, k := range kinds {
		f := found[k.name]
		s.say("%s: pod created to application started: %s", k.name, describe(f.of(lag, everyPhase...)))
		s.say("%s: of it: %s", k.name, f.describe(lag))
		if k.inject == "" {
			continue
		}
		s.say("%s: the registrar adds %v; its process started to application started: %s", k.name,
			round(median(f.of(lag, everyPhase...))-base), describe(f.of(lag, ownPhase, detectionPhase, ec2Phase, gatePhase)))
		shares := f.shares(lag)
		s.say("%s: the registrar's share, with EC2: %s", k.name, describe(shares))
		if got := median(shares); got > shareLimit {
			t.Errorf("%s: the registrar's share is %v, more than %v, with the machine's load at %s", k.name, round(got), shareLimit, load)
		}
	}
}

// create makes a pod, and notes when, more exactly than kubectl could.
func (s *story) create(p pod) {
	s.Helper()
	var wanted corev1.Pod
	if err := yaml.NewYAMLOrJSONDecoder(strings.NewReader(p.manifest()), 4096).Decode(&wanted); err != nil {
		s.Fatal(err)
	}
	s.created[p.name] = time.Now()
	if _, err := the.kube.CoreV1().Pods(s.ns).Create(context.Background(), &wanted, metav1.CreateOptions{}); err != nil {
		s.Fatal(err)
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"
)

// A scenario is one row of the matrix.
type scenario struct {
	// name is for files and -only, what for people.
	name, what string
	ips        kind
	// short puts it into the short form, which `make test` runs.
	short bool
	// sameWorker puts pod b beside pod a, on the same ENI.
	sameWorker bool
	// age is how long pod a has its addresses before the trouble. Only what
	// IMDS has shown can be missed soon.
	age time.Duration
	// before sets what holds from the start, before the pods are there.
	before func(*lab)
	// trouble is what happens; it returns when the scenario does no more.
	trouble func(context.Context, *lab) error
	// holder is who must have the addresses in the end.
	holder string
	// limit is how long that may take, defaultLimit when 0.
	limit time.Duration
	// watch is how long nothing may move after that, defaultWatch when 0.
	watch time.Duration
	goal  goal
}

const (
	defaultLimit = 30 * time.Second
	defaultWatch = 2 * time.Second
	// seen is longer than the interval between two looks at IMDS.
	seen = 6 * time.Second
	// untilReleased is longer than a route is left alone after its address went.
	untilReleased = 5 * time.Second
	// routeLooks is the longest time between two looks at a route: nothing else
	// tells that a rival has let go of it.
	routeLooks = 66 * time.Second
)

// matrix is every scenario. A floating IP of another kind is a line with another
// kind.
func matrix() []scenario {
	return []scenario{
		{name: "hand-over", what: "a hands over on request", ips: secondary, short: true, trouble: handOver, holder: podB, goal: atOnce},
		{name: "reload", what: "keepalived on a reads its configuration again", ips: secondary, trouble: reload, holder: podA, goal: nothing},
		{name: "keepalived-killed", what: "keepalived on a is killed, and started again 1 s later", ips: secondary, short: true, age: seen, trouble: keepalivedKilled(kubeletRestart), holder: podB, watch: 12 * time.Second, goal: atOnceTaken},
		{name: "keepalived-dead", what: "the same, started again 25 s later: both have the addresses until then", ips: secondary, age: seen, trouble: keepalivedKilled(25 * time.Second), holder: podB, limit: time.Minute, goal: healed(25 * time.Second)},
		{name: "pod-deleted", what: "pod a is deleted: SIGTERM to keepalived, then to the registrar", ips: secondary, short: true, trouble: podDeleted, holder: podB, goal: atOnce},
		{name: "worker-gone", what: "a's worker loses power: its ENI keeps the addresses", ips: secondary, short: true, trouble: workerGone, holder: podB, goal: atOnceTaken},
		{name: "same-worker", what: "a hands over to b on the same worker and ENI", ips: secondary, sameWorker: true, short: true, trouble: handOver, holder: podB, goal: sameENI},
		{name: "split-5s", what: "a and b do not hear each other for 5 s: both are active", ips: secondary, short: true, age: seen, trouble: split(5 * time.Second), holder: podA, goal: healed(5 * time.Second)},
		{name: "split-15s", what: "the same for 15 s", ips: secondary, age: seen, trouble: split(15 * time.Second), holder: podA, limit: time.Minute, goal: healed(15 * time.Second)},
		{name: "split-45s", what: "the same for 45 s", ips: secondary, age: seen, trouble: split(45 * time.Second), holder: podA, limit: time.Minute, goal: healed(45 * time.Second)},
		{name: "flapping", what: "ten hand-overs to and fro, one each 0.4 s", ips: secondary, short: true, trouble: flapping(10), holder: podA, goal: flapped(10)},
		{name: "ec2-300ms", what: "hand-over, EC2 takes 300 ms for a call", ips: secondary, before: latency(300 * time.Millisecond), trouble: handOver, holder: podB, goal: answering(300 * time.Millisecond)},
		{name: "ec2-3s", what: "hand-over, EC2 takes 3 s for a call", ips: secondary, before: latency(3 * time.Second), trouble: handOver, holder: podB, goal: answering(3 * time.Second)},
		{name: "ec2-throttles", what: "hand-over, EC2 throttles nine calls of ten", ips: secondary, trouble: throttled(handOver), holder: podB, limit: 3 * time.Minute, goal: stateOnly},
		{name: "gone-and-throttled", what: "a's worker loses power, EC2 throttles nine calls of ten", ips: secondary, trouble: throttled(workerGone), holder: podB, limit: 2 * time.Minute, goal: stateOnly},
		{name: "ec2-down-3s", what: "hand-over, EC2 does not answer for 3 s", ips: secondary, short: true, trouble: down(3*time.Second, handOver), holder: podB, goal: afterOutage(3 * time.Second)},
		{name: "ec2-down-60s", what: "hand-over, EC2 does not answer for a minute", ips: secondary, trouble: down(time.Minute, handOver), holder: podB, limit: time.Minute + defaultLimit, goal: afterOutage(time.Minute)},
		{name: "imds-stale", what: "hand-over, IMDS is a minute behind", ips: secondary, before: staleIMDS(time.Minute), trouble: handOver, holder: podB, watch: 10 * time.Second, goal: atOnce},
		{name: "split-imds-stale", what: "both active for 5 s, IMDS is a minute behind", ips: secondary, age: time.Minute + seen, before: staleIMDS(time.Minute), trouble: split(5 * time.Second), holder: podA, limit: 2 * time.Minute, goal: healedUnknown(time.Minute)},
		{name: "kill-b-before", what: "hand-over, b's registrar is killed just before", ips: secondary, trouble: killAt(podB, atStart), holder: podB, goal: restarted},
		{name: "kill-b-appears", what: "… as the addresses appear on b", ips: secondary, short: true, trouble: killAt(podB, atAppearance), holder: podB, goal: restarted},
		{name: "kill-b-calling", what: "… while its first call is under way", ips: secondary, short: true, trouble: killAt(podB, atCall("Assign*")), holder: podB, goal: restarted},
		{name: "kill-b-answered", what: "… as EC2 has answered", ips: secondary, trouble: killAt(podB, atAnswer("Assign*")), holder: podB, goal: atOnce},
		{name: "kill-a-before", what: "hand-over, a's registrar is killed just before", ips: secondary, trouble: killAt(podA, atStart), holder: podB, goal: atOnceTaken},
		{name: "kill-a-gone", what: "… as the addresses leave a", ips: secondary, trouble: killAt(podA, atDisappearance), holder: podB, goal: atOnceTaken},
		{name: "kill-a-releasing", what: "… while its release is under way", ips: secondary, short: true, trouble: killAt(podA, atCall("Unassign*")), holder: podB, goal: atOnceTaken},

		{name: "routes-hand-over", what: "a hands over on request", ips: routes, short: true, trouble: handOver, holder: podB, watch: untilReleased, goal: atOnce},
		{name: "routes-keepalived-killed", what: "keepalived on a is killed, and started again 1 s later", ips: routes, trouble: keepalivedKilled(kubeletRestart), holder: podB, watch: untilReleased, goal: atOnce},
		{name: "routes-pod-deleted", what: "pod a is deleted: SIGTERM to keepalived, then to the registrar", ips: routes, trouble: podDeleted, holder: podB, watch: untilReleased, goal: atOnce},
		{name: "routes-worker-gone", what: "a's worker loses power: the routes lead to its ENI", ips: routes, trouble: workerGone, holder: podB, goal: atOnce},
		{name: "routes-split-5s", what: "a and b do not hear each other for 5 s", ips: routes, age: seen, trouble: split(5 * time.Second), holder: podA, limit: 2 * routeLooks, goal: healedRoutes(5 * time.Second)},
		{name: "routes-split-45s", what: "the same for 45 s", ips: routes, age: seen, trouble: split(45 * time.Second), holder: podA, limit: 2 * routeLooks, goal: healedRoutes(45 * time.Second)},
		{name: "routes-ec2-300ms", what: "hand-over, EC2 takes 300 ms for a call", ips: routes, before: latency(300 * time.Millisecond), trouble: handOver, holder: podB, goal: answering(300 * time.Millisecond)},
		{name: "routes-one-throttled", what: "hand-over, EC2 throttles what changes the route table of zone b, for 5 s", ips: routes, trouble: tableThrottled(zoneB, 5*time.Second, handOver), holder: podB, watch: untilReleased, goal: tableLate(zoneB, 5*time.Second)},
		{name: "routes-kill-b-calling", what: "hand-over, b's registrar is killed while its first call is under way", ips: routes, trouble: killAt(podB, atCall("ReplaceRoute")), holder: podB, watch: untilReleased, goal: restarted},
		{name: "routes-kill-a-gone", what: "hand-over, a's registrar is killed as the addresses leave a", ips: routes, trouble: killAt(podA, atDisappearance), holder: podB, watch: untilReleased, goal: atOnce},
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A pinged is what a client saw.
type pinged struct {
	sent, received int
	// gap is the longest time without an answer.
	gap time.Duration
	// output is what ping wrote.
	output string
}

func (p pinged) String() string {
	return fmt.Sprintf("%d of %d answered, gap %v", p.received, p.sent, p.gap)
}

var (
	pingCounts = regexp.MustCompile(`(\d+) packets transmitted, (\d+) packets received`)
	pingSeq    = regexp.MustCompile(`seq=(\d+) `)
)

// ping sends n packets from a pod's application to an address, at an interval.
func (s *story) ping(pod, address string, n int, interval time.Duration) pinged {
	s.Helper()
	out, err := s.exec(pod, application, "ping", "-c", strconv.Itoa(n), "-i", fmt.Sprintf("%.3f", interval.Seconds()), "-W", "1", address)
	counts := pingCounts.FindStringSubmatch(out)
	if counts == nil {
		s.Fatalf("ping %s from %s: %v\n%s", address, pod, err, out)
	}
	p := pinged{output: out}
	p.sent, _ = strconv.Atoi(counts[1]) // digits
	p.received, _ = strconv.Atoi(counts[2])
	last := -1
	for _, m := range pingSeq.FindAllStringSubmatch(out, -1) {
		seq, _ := strconv.Atoi(m[1])
		p.gap = max(p.gap, time.Duration(seq-last-1)*interval)
		last = max(last, seq)
	}
	p.gap = max(p.gap, time.Duration(p.sent-1-last)*interval)
	return p
}

// reaches says that a pod reaches an address, or, where it does not, must not.
func (s *story) reaches(pod, address string, want bool) {
	s.Helper()
	const packets = 3
	if got := s.ping(pod, address, packets, 200*time.Millisecond); got.received != packets && want || got.received != 0 && !want {
		s.Errorf("ping %s from %s: %v; reaches it is to be %v\n%s", address, pod, got, want, got.output)
	}
}

// firstPing sends one packet, and no other. It waits long for the answer, since
// a busy machine is late; what the VPC has dropped is never answered.
const firstPing = "if r=$(ping -c 1 -W 10 %s); then echo first packet to %s answered ${r#*ttl=}; else echo first packet to %s lost; fi"

// stayUntilTold is a shell command that ends by SIGTERM, which the first
// process of a container gets only if it asks for it.
const stayUntilTold = "trap 'exit 0' TERM; sleep 100000 & wait"

// reportStart is a shell command for the beginning of an application: it
// writes the time, and for each address whether the first packet of all to it
// was answered.
func reportStart(addresses ...string) string {
	script := []string{": >/dev/shm/started", "stat -c 'started %y' /dev/shm/started"}
	for _, a := range addresses {
		script = append(script, fmt.Sprintf(firstPing, a, a, a))
	}
	return strings.Join(append(script, stayUntilTold), "; ")
}

// firstPacket fails where an application's first packet was not answered.
func (s *story) firstPacket(pod, address string) {
	s.Helper()
	until(s.T, 30*time.Second, func() error {
		out := s.logs(pod, application)
		switch {
		case strings.Contains(out, "first packet to "+address+" answered"):
			_, after, _ := strings.Cut(out, "first packet to "+address+" answered ")
			text, _, _ := strings.Cut(after, " --- ")
			s.say("%s: first packet to %s answered, ttl=%s", pod, address, text)
			return nil
		case strings.Contains(out, "first packet to "+address+" lost"):
			s.Fatalf("%s was not routed when its application started:\n%s", pod, out)
		}
		return fmt.Errorf("%s has not said what became of its first packet to %s:\n%s", pod, address, out)
	})
}

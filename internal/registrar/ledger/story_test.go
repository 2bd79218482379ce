// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
)

// TestStories plays the files of testdata/stories. Each is a world, what
// happens in it, and after ">" what the ledger asks for at once:
//
//	eni NAME MAC INDEX CIDR[,CIDR] PRIMARY [tag|untagged]   an ENI of this worker
//	floating ADDR[,ADDR] [TABLE[,TABLE]]                    the floating IPs, from now on
//	siblings                   registrars on the same ENI can be talked to
//	heard LINK ADDR WORD [answer]  one of them says: asks, may-take, holds, letting-go, let-go
//	check NAME on|off          the ENI's source/destination check
//	route TABLE ADDR NAME|- [dead]   where EC2's route leads; - and dead are blackholes
//	never-release | interfaces NAMES | no-imds | describe-interval D
//	late D                     time passes in which this process has no CPU
//	link NAME MAC [KIND]       an interface without addresses; kind ipvlan
//	kernel [NAME=ADDR,ADDR …]  the kernel's table from now on; the rest is empty; ADDR? is
//	                           tentative
//	tag NAME                   gives the ENI its tag
//	held NAME [ADDR …]         what EC2 would describe, no other ENI has it then; NAME may be
//	                           another worker's ENI
//	shown NAME [ADDR …]        what IMDS would show
//	answer inventory|describe|look|probe|hint|claim|hold|release [NAME] [ok|lost|CLASS/CODE]
//	                           [ADDR=CLASS/CODE …] [freed]; lost is a dropped connection,
//	                           freed: it was taken from its owner before
//	+D                         time passes
//	restart [D]                the container restarts after D; the state file survives
//	sigterm
//	state ADDR STATE [CODE] | ready | waiting TEXT | concern [TEXT] | drained | record ADDR STANDING|-
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/stories/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { play(t, file) })
	}
}

// A stage is the world of one story.
type stage struct {
	*Ledger
	cfg     Config
	noIMDS  bool
	hole    string
	now     time.Time
	enis    []eniassign.ENI
	held    map[string][]netip.Addr
	shown   map[string][]netip.Addr
	routes  []eniassign.Route
	links   []netwatch.Interface
	pending []pendingWork
	got     []string
	wake    time.Time
}

// pendingWork is a piece of work that waits for its answer.
type pendingWork struct {
	what    string // "inventory", "describe", "hint", "claim", "hold", "release"
	ids     []string
	call    eniassign.Call
	look    Look
	started time.Time
}

func play(t *testing.T, file string) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := &stage{
		now:  time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		held: map[string][]netip.Addr{}, shown: map[string][]netip.Addr{},
		cfg: Config{DefaultInterfaces: []string{"eth0"}, HoldDown: DefaultHoldDown, HoldDownMax: DefaultHoldDownMax,
			HintInterval: 10 * time.Second, DescribeInterval: DefaultDescribeInterval},
	}
	var event string
	var want []string
	check := func(line int) {
		if diff := cmp.Diff(want, s.got); event != "" && diff != "" {
			t.Fatalf("%s:%d: after %q (-want +got):\n%s", file, line, event, diff)
		}
		want, s.got = nil, nil
	}
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		n++
		text, _, _ := strings.Cut(lines.Text(), "#")
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		if work, ok := strings.CutPrefix(text, ">"); ok {
			want = append(want, strings.TrimSpace(work))
			continue
		}
		check(n)
		event = text
		if err := s.event(strings.Fields(text)); err != nil {
			t.Fatalf("%s:%d: %s: %v", file, n, text, err)
		}
	}
	check(n)
}

func (s *stage) event(f []string) error {
	if s.Ledger == nil && slices.Contains([]string{"link", "kernel", "restart"}, f[0]) {
		s.Ledger = New(s.cfg, func() float64 { return 0 })
	}
	switch f[0] {
	case "eni":
		return s.eni(f[1:])
	case "siblings":
		s.cfg.Siblings = true
	case "floating":
		s.floating(f[1:])
	case "heard":
		s.Heard(s.now, Saying{Interface: f[1], Addr: netip.MustParseAddr(f[2]), Word: Word(strings.ReplaceAll(f[3], "-", " ")),
			Answer: len(f) > 4 && f[4] == "answer"})
		s.step()
	case "check":
		i := slices.IndexFunc(s.enis, func(e eniassign.ENI) bool { return e.ID == f[1] })
		on := f[2] == "on"
		s.enis[i].SourceDestCheck = &on
	case "route":
		s.route(f[1], netip.MustParseAddr(f[2]), f[3], f[3] == "-" || len(f) > 4)
	case "never-release":
		s.cfg.NeverRelease = true
	case "describe-interval":
		s.cfg.DescribeInterval, _ = time.ParseDuration(f[1])
	case "late":
		d, err := time.ParseDuration(f[1])
		if err != nil {
			return err
		}
		s.now = s.now.Add(d)
		s.step()
	case "imds":
		s.noIMDS = false
	case "drop":
		s.hole = f[1]
	case "no-imds":
		s.noIMDS = true
	case "tag":
		i := slices.IndexFunc(s.enis, func(e eniassign.ENI) bool { return e.ID == f[1] })
		s.enis[i].Tags = map[string]string{eniassign.NoManageTag: "true"}
	case "interfaces":
		s.cfg.Interfaces = strings.Split(f[1], ",")
	case "link":
		s.links = append(s.links, netwatch.Interface{Name: f[1], Index: len(s.links) + 2, MAC: f[2], Kind: append(f, "ipvlan")[3], Up: true})
	case "kernel":
		s.kernel(f[1:])
	case "held":
		s.hold(f[1], addrs(f[2:]))
	case "shown":
		s.shown[f[1]] = addrs(f[2:])
	case "answer":
		return s.answer(f[1:])
	case "restart":
		s.restart(f[1:])
	case "sigterm":
		s.Shutdown(s.now)
		s.step()
	case "state", "ready", "waiting", "concern", "drained", "record":
		return s.expect(f)
	default:
		d, err := time.ParseDuration(f[0])
		if err != nil {
			return fmt.Errorf("no such event")
		}
		s.pass(d)
	}
	return nil
}

func (s *stage) eni(f []string) error {
	var index int
	if _, err := fmt.Sscan(f[2], &index); err != nil {
		return err
	}
	e := eniassign.ENI{ID: f[0], MAC: f[1], DeviceIndex: index, SubnetID: "subnet-" + f[3], Primary: netip.MustParseAddr(f[4])}
	for _, c := range strings.Split(f[3], ",") {
		e.CIDRs = append(e.CIDRs, netip.MustParsePrefix(c))
	}
	e.Tags = map[string]string{eniassign.NoManageTag: "true"}
	if len(f) > 5 && f[5] == "untagged" {
		e.Tags = map[string]string{}
	}
	for _, p := range f[min(5, len(f)):] {
		if prefix, ok := strings.CutPrefix(p, "prefix="); ok {
			e.Prefixes = append(e.Prefixes, netip.MustParsePrefix(prefix))
		}
	}
	s.enis = append(s.enis, e)
	return nil
}

func (s *stage) floating(f []string) {
	var v Floating
	for _, a := range addrs(strings.Split(f[0], ",")) {
		v.Addresses = append(v.Addresses, netip.PrefixFrom(a, a.BitLen()))
	}
	if len(f) > 1 {
		v.RouteTables = strings.Split(f[1], ",")
	}
	s.cfg.Floating = v
	if s.Ledger != nil {
		s.SetFloating(s.now, v)
		s.step()
	}
}

// hold puts addresses on an ENI: EC2 has each on one only.
func (s *stage) hold(eni string, on []netip.Addr) {
	for other, held := range s.held {
		s.held[other] = slices.DeleteFunc(held, func(a netip.Addr) bool { return slices.Contains(on, a) })
	}
	s.held[eni] = on
}

func (s *stage) route(table string, a netip.Addr, eni string, dead bool) {
	s.routes = slices.DeleteFunc(s.routes, func(r eniassign.Route) bool { return r.Table == table && r.Addr == a })
	r := eniassign.Route{Table: table, Addr: a, ENI: eni, Blackhole: dead}
	s.routes = append(s.routes, r)
}

func (s *stage) kernel(f []string) {
	for i := range s.links {
		s.links[i].Prefixes, s.links[i].Tentative = nil, nil
		for _, a := range f {
			name, list, _ := strings.Cut(a, "=")
			if name != s.links[i].Name {
				continue
			}
			for text := range strings.SplitSeq(list, ",") {
				text, tentative := strings.CutSuffix(text, "?")
				addr := netip.MustParseAddr(text)
				of := &s.links[i].Prefixes
				if tentative {
					of = &s.links[i].Tentative
				}
				*of = append(*of, netip.PrefixFrom(addr, addr.BitLen()-8))
			}
		}
	}
	s.Observe(s.now, netwatch.Snapshot{Noticed: s.now, Interfaces: slices.Clone(s.links)})
	s.step()
}

func (s *stage) restart(f []string) {
	records := s.Records()
	s.pending = nil
	if len(f) > 0 {
		d, _ := time.ParseDuration(f[0])
		s.now = s.now.Add(d)
	}
	s.Ledger = New(s.cfg, func() float64 { return 0 })
	s.Restore(s.now, records)
}

// pass lets time go by, from alarm to alarm.
func (s *stage) pass(d time.Duration) {
	end := s.now.Add(d)
	for !s.wake.IsZero() && !s.wake.After(end) {
		s.now = s.wake
		s.step()
	}
	s.now = end
	s.step()
}

func addrs(texts []string) []netip.Addr {
	var out []netip.Addr
	for _, t := range texts {
		out = append(out, netip.MustParseAddr(t))
	}
	return out
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/traffic"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

const ms = time.Millisecond

var (
	float4  = netip.MustParseAddr("10.0.3.80")
	direct4 = way{addr: float4}
	zero    = time.Unix(1_000_000, 0)
)

func TestLostSpansJoinPacketsInARow(t *testing.T) {
	var packets []traffic.Packet
	for i := range 10 {
		p := traffic.Packet{Sent: time.Duration(i) * ms, Answered: time.Duration(i)*ms + ms}
		if i == 3 || i == 4 || i == 7 {
			p.Answered = traffic.Never
		}
		packets = append(packets, p)
	}
	want := []Span{{Millis(1 * ms), Millis(3 * ms)}, {Millis(5 * ms), Millis(6 * ms)}}
	if got := lostSpans(packets, 2*ms); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSpansEndWithTheTimeline(t *testing.T) {
	got := spans([]flip{{1, true}, {2, true}, {5, false}, {6, false}, {9, true}}, 12)
	if want := []Span{{1, 5}, {9, 12}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestCallsTakeEffectInTheirOwnOrder: a slow call that arrived first takes
// effect last, refused ones and those of other addresses never.
func TestCallsTakeEffectInTheirOwnOrder(t *testing.T) {
	call := func(at, took int, action string, effective bool, addr string) model.Call {
		return model.Call{Time: zero.Add(time.Duration(at) * ms), Duration: time.Duration(took) * ms, Action: action, Effective: effective, Addresses: []string{addr}}
	}
	got := inEffect([]model.Call{
		call(0, 300, "AssignPrivateIpAddresses", true, "10.0.3.80"),
		call(10, 100, "UnassignPrivateIpAddresses", true, "10.0.3.80"),
		call(20, 100, "AssignPrivateIpAddresses", false, "10.0.3.80"),
		call(30, 100, "AssignPrivateIpAddresses", true, "10.0.3.81"),
		call(40, 100, "DescribeNetworkInterfaces", true, "10.0.3.80"),
		call(50, 100, "AssignIpv6Addresses", true, "2001:db8::80"),
	}, direct4)
	var names []string
	for _, c := range got {
		names = append(names, c.Action)
	}
	want := []string{"UnassignPrivateIpAddresses", "AssignPrivateIpAddresses"}
	if !reflect.DeepEqual(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

// TestARouteIsOfOneTable: a call about the other route table is no call about
// this one, and neither is one about an address without a table.
func TestARouteIsOfOneTable(t *testing.T) {
	w := way{addr: outside4, table: zoneA}
	for name, tt := range map[string]struct {
		call model.Call
		want bool
	}{
		"this one":    {model.Call{RouteTable: tableID(zoneA), Addresses: []string{"198.51.100.10/32"}}, true},
		"the other":   {model.Call{RouteTable: tableID(zoneB), Addresses: []string{"198.51.100.10/32"}}, false},
		"another IP":  {model.Call{RouteTable: tableID(zoneA), Addresses: []string{"198.51.100.11/32"}}, false},
		"no table":    {model.Call{Addresses: []string{"198.51.100.10"}}, false},
		"no route IP": {model.Call{RouteTable: tableID(zoneA), Addresses: []string{"2001:db8:f::10/128"}}, false},
	} {
		if got := w.named(tt.call); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// TestTakenIsWhatWasNotReleased: by assigning it elsewhere, or by unassigning it
// on an ENI of another's worker.
func TestTakenIsWhatWasNotReleased(t *testing.T) {
	topo, err := topology.Parse("zones.yaml", zonesYAML)
	if err != nil {
		t.Fatal(err)
	}
	vpc, err := model.New(topo)
	if err != nil {
		t.Fatal(err)
	}
	routed4 := way{addr: float4, table: zoneA}
	l := &lab{Sim: &vpcsim.Sim{VPC: vpc}, atStart: map[way]string{direct4: "w1-n3", routed4: "w1-n3"}}
	call := func(at int, action, worker, eni string) model.Call {
		e, _ := vpc.ENI(eni)
		c := model.Call{Time: zero.Add(time.Duration(at) * ms), Action: action, Worker: worker, ENI: e.ID, Effective: true, Addresses: []string{float4.String()}}
		if strings.HasSuffix(action, "Route") {
			c.RouteTable = tableID(zoneA)
		}
		return c
	}
	const assign, unassign = "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses"
	for name, tt := range map[string]struct {
		calls []model.Call
		want  int
	}{
		"released, then claimed": {[]model.Call{call(1, unassign, "worker1", "w1-n3"), call(2, assign, "worker2", "w2-n3")}, 0},
		"claimed":                {[]model.Call{call(1, assign, "worker2", "w2-n3")}, 1},
		"claimed where it is":    {[]model.Call{call(1, assign, "worker1", "w1-n3")}, 0},
		"unassigned by a rival":  {[]model.Call{call(1, unassign, "worker2", "w1-n3"), call(2, assign, "worker2", "w2-n3")}, 1},
		"to and fro":             {[]model.Call{call(1, assign, "worker2", "w2-n3"), call(2, assign, "worker1", "w1-n3")}, 2},
	} {
		if got := len(l.taken(direct4, tt.calls)); got != tt.want {
			t.Errorf("%s: taken %d times, want %d", name, got, tt.want)
		}
	}
	for name, tt := range map[string]struct {
		calls []model.Call
		want  int
	}{
		"deleted, then made":      {[]model.Call{call(1, "DeleteRoute", "worker1", ""), call(2, "CreateRoute", "worker2", "w2-n3")}, 0},
		"replaced":                {[]model.Call{call(1, "ReplaceRoute", "worker2", "w2-n3")}, 1},
		"deleted by a rival":      {[]model.Call{call(1, "DeleteRoute", "worker2", "")}, 1},
		"a secondary address too": {[]model.Call{call(1, assign, "worker2", "w2-n3")}, 0},
	} {
		if got := len(l.taken(routed4, tt.calls)); got != tt.want {
			t.Errorf("a route, %s: taken %d times, want %d", name, got, tt.want)
		}
	}
}

func TestCallsInHandCountOnce(t *testing.T) {
	call := func(at, took int, worker string, addrs ...string) model.Call {
		return model.Call{Time: zero.Add(time.Duration(at) * ms), Duration: time.Duration(took) * ms, Done: true, Worker: worker, Addresses: addrs}
	}
	calls := about([]model.Call{
		call(-10, 30, "w2", "10.0.3.80"),
		call(10, 20, "w2"), // a Describe
		call(40, 20, "w1", "10.0.3.80"),
		call(40, 20, "w2", "10.0.3.81"),
		call(90, 100, "w2", "10.0.3.80"),
		{Time: zero.Add(60 * ms), Duration: 20 * ms, Done: true, Worker: "w2", Addresses: []string{"10.0.3.80"}, Params: map[string]string{"DryRun": "true"}},
	}, "w2", direct4)
	if got := model.InHand(calls, zero, zero.Add(100*ms)); len(calls) != 3 || got != 40*ms {
		t.Errorf("%d calls, %v in hand; want 3, 40ms", len(calls), got)
	}
}

func TestKernelNotesChangesOnly(t *testing.T) {
	k := newKernel([]netip.Addr{float4})
	for _, c := range []change{
		{zero, podA, float4, false}, // it never had it
		{zero, podA, float4, true},
		{zero, podA, float4, true}, // told again
		{zero, podB, netip.MustParseAddr("10.0.3.71"), true},
		{zero.Add(ms), podA, float4, false},
	} {
		k.note(c)
	}
	if got := k.all(); len(got) != 2 || !got[0].has || got[1].has || k.has(podA, float4) {
		t.Errorf("got %v", got)
	}
}

func TestOutageIsKeepalivedsUntilTheKernelHasSettled(t *testing.T) {
	k := newKernel([]netip.Addr{float4})
	l := &lab{kernel: k, began: zero, settled: zero, a: &pod{}, b: &pod{}, sc: scenario{holder: podB}}
	l.a.Pod, l.b.Pod = &fabric.Pod{Name: podA}, &fabric.Pod{Name: podB}
	k.note(change{zero.Add(-ms), podA, float4, true})
	k.note(change{zero.Add(2 * ms), podA, float4, false})
	k.note(change{zero.Add(20 * ms), podB, float4, true})
	var packets []traffic.Packet
	for i := range 100 { // the stream began 10 ms before; lost from 2 to 60 ms
		p := traffic.Packet{Sent: time.Duration(i) * ms, Answered: time.Duration(i)*ms + ms/2}
		if i >= 12 && i < 70 {
			p.Answered = traffic.Never
		}
		packets = append(packets, p)
	}
	f := l.family(float4, 10*ms, packets)
	if f.Sent != 90 || f.Lost != 58 || f.Keepalived != Millis(20*ms) || f.LostAfter != 40 || f.Restored != Millis(39*ms) {
		t.Errorf("got %+v", f)
	}

	// Where the holder had it all along, the other's letting go counts.
	l.sc.holder, l.settled = podA, zero.Add(30*ms)
	k.note(change{zero.Add(31 * ms), podA, float4, true})
	k.note(change{zero.Add(40 * ms), podB, float4, false})
	if got := l.settledAt(float4); !got.Equal(zero.Add(31 * ms)) {
		t.Errorf("settled %v after the beginning, want 31ms", got.Sub(zero))
	}
	l.settled = zero.Add(35 * ms)
	if got := l.settledAt(float4); !got.Equal(zero.Add(40 * ms)) {
		t.Errorf("settled %v after the beginning, want 40ms", got.Sub(zero))
	}
}

func TestGoals(t *testing.T) {
	g := goal{lost: [2]int{100, none}, taken: [2]int{1, 1}}.but(300, 0)
	r := Result{Families: []Family{{Address: float4, LostAfter: 250, Taken: 2}, {Address: secondary6, LostAfter: 9999, Taken: 1}}}
	if got := g.missed(r); len(got) != 2 || !strings.Contains(got[0], "250 packets lost") || !strings.Contains(got[1], "taken 2 times") {
		t.Errorf("missed: %q", got)
	}
	if got := g.broken(r, 0); len(got) != 1 || !strings.Contains(got[0], "taken 2 times") {
		t.Errorf("broken: %q", got)
	}
	r.Families[0].LostAfter = 321
	if got := g.broken(r, 20); len(got) != 2 {
		t.Errorf("broken: %q", got)
	}
}

// TestGoalsOfOneRouteTable: another one's are its own.
func TestGoalsOfOneRouteTable(t *testing.T) {
	g := goal{lost: [2]int{100, 100}, inTable: map[string][2]int{zoneB: {300, 300}}, taken: [2]int{1, 1}}
	r := Result{Families: []Family{
		{Address: outside4, RouteTable: zoneA, LostAfter: 99}, {Address: outside6, RouteTable: zoneA, LostAfter: 250},
		{Address: outside4, RouteTable: zoneB, LostAfter: 250}, {Address: outside6, RouteTable: zoneB, LostAfter: 301},
	}}
	got := g.missed(r)
	if len(got) != 2 || !strings.Contains(got[0], "2001:db8:f::10 in zone-a: 250 packets") || !strings.Contains(got[1], "2001:db8:f::10 in zone-b: 301 packets") {
		t.Errorf("missed: %q", got)
	}
	if got := g.broken(r, 10); len(got) != 1 || !strings.Contains(got[0], "zone-a") {
		t.Errorf("broken: %q", got)
	}
}

// TestTheExampleIsWhatRuns: what must be replaced and is not there is an error,
// not a run of something else.
func TestTheExampleIsWhatRuns(t *testing.T) {
	text, err := readExample("../../" + exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []kind{secondary, routes} {
		if _, err := writeConfig(text, t.TempDir(), k); err != nil {
			t.Errorf("%s: %v", k.name, err)
		}
		for _, gone := range []string{handOverDir, "10.0.3.80/", "2001:db8:0:3:1::80/"} {
			if _, err := writeConfig(strings.ReplaceAll(text, gone, "x"), t.TempDir(), k); err == nil {
				t.Errorf("%s: a configuration without %s was accepted", k.name, gone)
			}
		}
	}
}

func TestScenariosAreComplete(t *testing.T) {
	names := map[string]bool{}
	for _, sc := range matrix() {
		if names[sc.name] || sc.what == "" || sc.trouble == nil || len(sc.ips.ways) == 0 || sc.holder != podA && sc.holder != podB {
			t.Errorf("%q is there twice, or not complete", sc.name)
		}
		names[sc.name] = true
	}
}

func TestPictureIsXML(t *testing.T) {
	r := Result{
		Name: "x", What: "a < b & c", Families: []Family{{}, {}}, Missed: []string{"much"},
		Timeline: Timeline{From: Millis(-lead), To: Millis(time.Second), Marks: []Mark{{Millis(ms), podA, "\"hands\" over"}},
			Calls: []Call{{At: Millis(2 * ms), Took: Millis(100 * ms), Pod: podA, Action: "AssignIpv6Addresses", Addresses: []string{"2001:db8::80"}, Code: "X"}},
			Lanes: []Lanes{{Address: float4, Lost: []Span{{0, Millis(100 * ms)}}, InKernel: map[string][]Span{podA: {{0, Millis(ms)}}}}, {Address: float4}}},
	}
	d := xml.NewDecoder(bytes.NewReader(picture(report{Results: []Result{r, r}})))
	classes := map[string]int{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			for _, a := range e.Attr {
				if a.Name.Local == "class" {
					classes[a.Value]++
				}
			}
		}
	}
	// Two of each in the scenarios, one in the legend.
	for _, class := range []string{"lost", "refused", "a"} {
		if classes[class] != 3 {
			t.Errorf("there are %d bars of class %s, want 3: %v", classes[class], class, classes)
		}
	}
}

// TestEachRouteTableHasItsRows: and a call is drawn in one of them.
func TestEachRouteTableHasItsRows(t *testing.T) {
	call := Call{At: Millis(ms), Took: Millis(ms), Pod: podB, Action: "ReplaceRoute", RouteTable: zoneB, Addresses: []string{"198.51.100.10/32"}}
	r := Result{Timeline: Timeline{To: Millis(time.Second), Calls: []Call{call, {At: Millis(ms), Took: Millis(ms), Pod: podB, Action: "DescribeRouteTables"}}}}
	for _, w := range routes.ways {
		r.Timeline.Lanes = append(r.Timeline.Lanes, Lanes{Address: w.addr, RouteTable: w.table, EC2: map[string][]Span{podA: {{0, Millis(ms)}}}})
	}
	bars := map[string]string{}
	for _, row := range r.rows() {
		d := &drawing{to: Millis(time.Second)}
		row.draw(d, 0)
		bars[row.name] = fmt.Sprint(strings.Count(d.String(), `class="assign"`), strings.Count(d.String(), `class="describe"`), strings.Count(d.String(), `class="a"`))
	}
	want := map[string]string{
		"IPv4 zone-a": "0 0 0", "IPv6 zone-a": "0 0 0", "IPv4 zone-b": "0 0 0", "IPv6 zone-b": "0 0 0", "a's kernel": "0 0 0", "b's kernel": "0 0 0",
		"zone-a leads to": "0 0 2", "zone-b leads to": "0 0 2",
		"a's calls zone-a": "0 0 0", "a's calls zone-b": "0 0 0", "b's calls zone-a": "0 1 0", "b's calls zone-b": "1 0 0",
	}
	if !reflect.DeepEqual(bars, want) {
		t.Errorf("got %v, want %v", bars, want)
	}
}

func TestRound(t *testing.T) {
	for d, want := range map[time.Duration]time.Duration{0: ms, 7 * ms: 10 * ms, 20 * ms: 20 * ms, 21 * ms: 50 * ms, 4 * time.Second: 5 * time.Second, 6 * time.Second: 10 * time.Second} {
		if got := round(d); got != want {
			t.Errorf("%v: %v, want %v", d, got, want)
		}
	}
}

func TestPageKeepsWhatIsAroundTheFigures(t *testing.T) {
	const text = "before\n<!-- x: how -->\nold\n<!-- end of x -->\nafter\n"
	got, err := between(text, "x", "new\n")
	if want := strings.Replace(text, "old", "new", 1); err != nil || got != want {
		t.Errorf("%v, got\n%s", err, got)
	}
	if _, err := between(text, "y", ""); err == nil {
		t.Error("a page without marks was accepted")
	}
	page, err := os.ReadFile("../../docs/failover.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"scenarios", "figures"} {
		if _, err := between(string(page), name, ""); err != nil {
			t.Errorf("docs/failover.md: %v", err)
		}
	}
	for _, sc := range matrix() {
		if !strings.Contains(string(page), "`"+sc.name+"`") {
			t.Errorf("docs/failover.md does not know the scenario %s", sc.name)
		}
	}
}

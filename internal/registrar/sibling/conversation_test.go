// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package sibling

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
	"golang.org/x/sys/unix"
)

const eni = "02:00:00:00:00:e1"

// A wire is a fake socket. What is sent on it is noted with the time, and what
// is put into incoming is received.
type wire struct {
	family   string
	fail     func(attempt int) error // nil: never
	incoming chan []byte
	broken   chan error

	mu       sync.Mutex
	attempts int
	sent     []string
	began    time.Time
	once     sync.Once
}

func newWire(family string, fail func(int) error) *wire {
	return &wire{family: family, fail: fail, incoming: make(chan []byte), broken: make(chan error), began: time.Now()}
}

func (w *wire) send(b []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.attempts++
	if w.fail != nil {
		if err := w.fail(w.attempts); err != nil {
			return err
		}
	}
	d, err := parse(b)
	if err != nil {
		return err
	}
	w.sent = append(w.sent, fmt.Sprintf("%v %d %v", time.Since(w.began), d.name.number, d.notes))
	return nil
}

func (w *wire) receive(b []byte) (int, error) {
	select {
	case d := <-w.incoming:
		return copy(b, d), nil
	case err, ok := <-w.broken:
		if !ok {
			err = errors.New("use of closed file")
		}
		return 0, err
	}
}

func (w *wire) close() { w.once.Do(func() { close(w.broken) }) }

// A desk is a Conversation on one interface, net1, with fake sockets.
type desk struct {
	*Conversation
	wires map[int]*wire // nil: cannot be opened
	log   *bytes.Buffer
	opens int
}

func newDesk(t *testing.T, ip4, ip6 *wire) *desk {
	t.Helper()
	d := &desk{wires: map[int]*wire{unix.AF_INET: ip4, unix.AF_INET6: ip6}, log: &bytes.Buffer{}}
	d.Conversation = New(slog.New(slog.NewTextHandler(d.log, nil)))
	d.open = func(family, _ int) (conn, error) {
		d.opens++
		if w := d.wires[family]; w != nil {
			return w, nil
		}
		return nil, unix.EAFNOSUPPORT
	}
	d.Follow(net1())
	t.Cleanup(d.Close)
	return d
}

func net1() []netwatch.Interface {
	return []netwatch.Interface{{Name: "net1", Index: 2, MAC: eni, Up: true}}
}

// pass lets a time of the bubble pass, and all that happens in it.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func always(err error) func(int) error { return func(int) error { return err } }

// All is said twice by both families, and then nothing is said any more.
func TestSaidTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ip4, ip6 := newWire("IPv4", nil), newWire("IPv6", nil)
		d := newDesk(t, ip4, ip6)
		if err := d.Say("net1", Note{v4, Nothing, true}, Note{v6, Holds, false}); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		want := []string{
			"0s 1 [10.0.0.10: nothing, and who else? 2001:db8::10: holds]",
			"6ms 1 [10.0.0.10: nothing, and who else? 2001:db8::10: holds]",
		}
		for _, w := range []*wire{ip4, ip6} {
			if diff := cmp.Diff(want, w.sent); diff != "" {
				t.Errorf("%s (-want +got):\n%s", w.family, diff)
			}
		}
		if len(d.links["net1"].sayings) > 0 || d.log.Len() > 0 {
			t.Errorf("%d are still to be said, the log has %q", len(d.links["net1"].sayings), d.log)
		}
	})
}

// A link-local address that is tentative cannot send for up to 2 s: what was
// said then leaves when it can, and the other family does not wait.
func TestTentativeAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ready time.Time
		ip4 := newWire("IPv4", nil)
		ip6 := newWire("IPv6", func(int) error {
			if time.Now().Before(ready) {
				return unix.EADDRNOTAVAIL
			}
			return nil
		})
		ready = time.Now().Add(1900 * time.Millisecond)
		d := newDesk(t, ip4, ip6)
		if err := d.Say("net1", Note{v4, Holds, true}); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		if len(ip4.sent) != 2 || len(ip6.sent) != 2 {
			t.Errorf("sent by IPv4: %v; by IPv6: %v; want 2 each", ip4.sent, ip6.sent)
		}
		if d.log.Len() > 0 {
			t.Errorf("the log has %q", d.log)
		}
	})
}

// Without any way out, Say tells so at once, the log once, and no attempt is
// made for ever.
func TestMute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		fail := func(int) error {
			if down {
				return unix.ENETUNREACH
			}
			return nil
		}
		ip4, ip6 := newWire("IPv4", fail), newWire("IPv6", fail)
		d := newDesk(t, ip4, ip6)
		for range 2 {
			if err := d.Say("net1", Note{v4, Holds, true}); !errors.Is(err, unix.ENETUNREACH) {
				t.Errorf("Say returns %v", err)
			}
			pass(time.Hour)
		}
		if want := 2 * (1 + len(pauses)); ip4.attempts != want || ip6.attempts != want {
			t.Errorf("%d and %d attempts, want %d", ip4.attempts, ip6.attempts, want)
		}
		down = false
		if err := d.Say("net1", Note{v4, Holds, true}); err != nil {
			t.Error(err)
		}
		pass(time.Hour)
		log := d.log.String()
		if strings.Count(log, "cannot be told") != 1 || strings.Count(log, "can be told again") != 1 {
			t.Errorf("the log has %q", log)
		}
	})
}

// An interface that has one family only is as good as any.
func TestOneFamily(t *testing.T) {
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		synctest.Test(t, func(t *testing.T) {
			w := newWire("", nil)
			d := newDesk(t, nil, nil)
			d.wires[family] = w
			d.Follow(net1())
			if err := d.Say("net1", Note{v4, Holds, true}); err != nil {
				t.Error(err)
			}
			pass(7 * time.Millisecond)
			if len(w.sent) != 2 || len(d.links["net1"].sayings) > 0 {
				t.Errorf("sent %v; %d are to be said again, want none", w.sent, len(d.links["net1"].sayings))
			}
			log := d.log.String()
			if strings.Count(log, "cannot be heard") != 1 || strings.Count(log, "can be heard again") != 1 {
				t.Errorf("the log has %q", log)
			}
		})
	}
}

// The last word on an address is the one that is repeated.
func TestLastWordStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ip4, ip6 := newWire("IPv4", nil), newWire("IPv6", always(unix.EADDRNOTAVAIL))
		d := newDesk(t, ip4, ip6)
		say := func(notes ...Note) {
			if err := d.Say("net1", notes...); err != nil {
				t.Error(err)
			}
			pass(time.Millisecond)
		}
		first := []Note{{v4, Releasing, false}, {v6, MayTake, false}}
		say(first...)
		say(Note{v4, Released, false})
		say(Note{v6, Holds, false})
		say(Note{v4, Holds, true})
		pass(time.Hour)
		if first[0].Standing != Releasing || first[1].Standing != MayTake {
			t.Errorf("the caller's notes have become %v", first)
		}
		want := []string{
			"0s 1 [10.0.0.10: releasing 2001:db8::10: may take]",
			"1ms 2 [10.0.0.10: released]",
			"2ms 3 [2001:db8::10: holds]",
			"3ms 4 [10.0.0.10: holds, and who else?]",
			"8ms 3 [2001:db8::10: holds]",
			"9ms 4 [10.0.0.10: holds, and who else?]",
		}
		if diff := cmp.Diff(want, ip4.sent); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestManyNotesAreBatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ip4 := newWire("IPv4", nil)
		d := newDesk(t, ip4, nil)
		var notes []Note
		for i := range 2*maxNotes + 1 {
			notes = append(notes, Note{netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), Holds, true})
		}
		if err := d.Say("net1", notes...); err != nil {
			t.Fatal(err)
		}
		if got := len(ip4.sent); got != 3 {
			t.Errorf("%d notes left in %d datagrams, want 3", len(notes), got)
		}
		if all := strings.Join(ip4.sent, " "); strings.Count(all, "who else?") != len(notes) {
			t.Errorf("not all notes left: %s", all)
		}
	})
}

func TestSayRefuses(t *testing.T) {
	ip4 := newWire("IPv4", nil)
	d := newDesk(t, ip4, nil)
	for name, note := range map[string]Note{
		"no address": {}, "a zone": {Addr: netip.MustParseAddr("2001:db8::1%x")}, "no such standing": {Addr: v4, Standing: 5},
	} {
		if err := d.Say("net1", note); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := d.Say("net2", Note{v4, Holds, true}); !errors.Is(err, ErrNotFollowed) {
		t.Errorf("an interface that is not there: %v", err)
	}
	d.Follow([]netwatch.Interface{{Name: "net1", Index: 2}})
	if err := d.Say("net1", Note{v4, Holds, true}); !errors.Is(err, ErrNotFollowed) {
		t.Errorf("an interface that has no MAC address any more: %v", err)
	}
	if len(ip4.sent) > 0 {
		t.Errorf("sent: %v", ip4.sent)
	}
	d.Close()
	if err := d.Say("net1", Note{v4, Holds, true}); !errors.Is(err, ErrNotFollowed) {
		t.Errorf("after Close: %v", err)
	}
}

// from is what a sibling sends.
func from(speaker uint64, number uint32, m mac, notes ...Note) []byte {
	return datagram{m, name{speaker, number}, name{}, notes}.appendTo(nil)
}

// What is not a sibling's word on the same ENI is not heard, and a copy is
// heard once.
func TestTake(t *testing.T) {
	m, _ := parseMAC(eni)
	holds, released := Note{v4, Holds, true}, Note{v4, Released, false}
	d := newDesk(t, newWire("IPv4", nil), newWire("IPv6", nil))
	l := d.links["net1"]
	for _, c := range []struct {
		name string
		b    []byte
		want bool
	}{
		{"a sibling's", from(7, 1, m, holds), true},
		{"its copy", from(7, 1, m, holds), false},
		{"its next", from(7, 2, m, holds), true},
		{"an older that was late", from(7, 0, m, holds), true},
		{"another's of the same number", from(8, 1, m, holds), true},
		{"another's word under the same name", from(7, 1, m, released), true},
		{"one's own", from(d.speaker, 9, m, holds), false},
		{"another ENI's", from(7, 3, mac{2, 0, 0, 0, 0, 0xe2}, holds), false},
		{"a stranger's", []byte("hello"), false},
		{"an empty one", nil, false},
		{"another version's", []byte("mipr\x02 and more"), false},
		{"another version's again", []byte("mipr\x03 and more"), false},
	} {
		if _, got := l.take(c.b); got != c.want {
			t.Errorf("%s: heard is %v, want %v", c.name, got, c.want)
		}
	}
	if log := d.log.String(); strings.Count(log, "another version") != 1 {
		t.Errorf("the log has %q", log)
	}
}

// An answer is heard if it answers the last question of its address.
func TestOnlyFreshAnswersAreHeard(t *testing.T) {
	m, _ := parseMAC(eni)
	d := newDesk(t, newWire("IPv4", nil), newWire("IPv6", nil))
	l := d.links["net1"]
	for range 2 {
		must(t, d.Say("net1", Note{v4, Nothing, true}))
	}
	must(t, d.Say("net1", Note{v6, Nothing, true}, Note{v4, Releasing, false}))
	holds := []Note{{v4, Holds, false}, {v6, Holds, false}}
	for number, want := range []string{"[]", "[]", "[10.0.0.10: holds]", "[2001:db8::10: holds]", "[]"} {
		h, ok := l.take(datagram{m, name{7, 1}, name{d.speaker, uint32(number)}, slices.Clone(holds)}.appendTo(nil))
		if got := fmt.Sprint(h.Notes); got != want || ok != (want != "[]") || ok && !h.Answer {
			t.Errorf("to question %d: %v, %v, answer %v; want %s", number, got, ok, h.Answer, want)
		}
	}
	if h, ok := l.take(datagram{m, name{7, 2}, name{8, 3}, holds}.appendTo(nil)); ok {
		t.Errorf("heard what answers another: %v", h)
	}
	if h, ok := l.take(from(7, 3, m, holds...)); !ok || h.Answer {
		t.Errorf("what answers nobody: %v, heard is %v", h, ok)
	}
}

func TestMemoryForgetsTheOldest(t *testing.T) {
	m := newDesk(t, nil, nil).memory
	name := func(i int) []byte { return []byte(fmt.Sprint(i)) }
	for i := range remembered {
		if !m.first(name(i)) {
			t.Errorf("%d is known", i)
		}
	}
	if m.first(name(0)) {
		t.Error("the first is not known any more, too early")
	}
	if !m.first(name(remembered)) || !m.first(name(0)) || m.first(name(2)) {
		t.Error("it is not the oldest that is forgotten")
	}
}

// A flood is taken slowly, and the reader ends in the middle of it.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ip4 := newWire("IPv4", nil)
		d := newDesk(t, ip4, nil)
		m, _ := parseMAC(eni)
		heard := 0
		stop := make(chan struct{})
		var sides sync.WaitGroup
		sides.Go(func() {
			for i := uint32(0); ; i++ {
				select {
				case ip4.incoming <- from(7, i, m, Note{v4, Released, false}):
				case <-stop:
					return
				}
			}
		})
		sides.Go(func() {
			for {
				select {
				case <-d.Heard():
					heard++
				case <-stop:
					return
				}
			}
		})
		pass(10*floodWindow - time.Millisecond)
		close(stop)
		sides.Wait()
		if heard != 10*floodBurst {
			t.Errorf("%d of a flood are heard in %v, want %d", heard, 10*floodWindow, 10*floodBurst)
		}
		d.Close()
	})
}

// A socket that fails is put away without a busy loop, told once, and opened
// again with the next snapshot.
func TestBrokenSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ip4, ip6 := newWire("IPv4", nil), newWire("IPv6", nil)
		d := newDesk(t, ip4, ip6)
		ip4.broken <- syscall.EIO
		synctest.Wait()
		if log := d.log.String(); strings.Count(log, "not heard any more by one family") != 1 || d.opens != 2 {
			t.Errorf("after %d opens the log has %q", d.opens, log)
		}
		if err := d.Say("net1", Note{v4, Holds, true}); err != nil {
			t.Errorf("the other family does not serve: %v", err)
		}
		d.wires[unix.AF_INET] = newWire("IPv4", nil)
		d.Follow(net1())
		d.Follow(net1())
		if d.opens != 3 {
			t.Errorf("%d opens, want 3", d.opens)
		}
	})
}

// Close ends a reader whose word nobody takes.
func TestCloseWithUnheardWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ip4 := newWire("IPv4", nil)
		d := newDesk(t, ip4, nil)
		m, _ := parseMAC(eni)
		ip4.incoming <- from(7, 1, m, Note{v4, Holds, true})
		synctest.Wait()
		d.Close()
		d.Close()
		d.Follow(net1())
		if d.opens != 2 {
			t.Error("a closed Conversation opens sockets")
		}
	})
}

// An answer to a question that was never asked is none: our speaker's number is in
// all that we say, and any sibling could forge one.
func TestAnAnswerToNoQuestionIsNotHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ip4 := newWire("IPv4", nil)
		d := newDesk(t, ip4, nil)
		m, _ := parseMAC(eni)
		ip4.incoming <- datagram{m, name{1, 1}, name{d.speaker, 0}, []Note{{v4, Holds, false}}}.appendTo(nil)
		select {
		case h := <-d.Heard():
			t.Errorf("heard, as an answer %t: %v", h.Answer, h.Notes)
		case <-time.After(time.Second):
		}
	})
}

// What is said right before the end, that an address was released, is said twice, too.
func TestTheLastWordIsSaidTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ip4, ip6 := newWire("IPv4", nil), newWire("IPv6", nil)
		d := newDesk(t, ip4, ip6)
		if err := d.Say("net1", Note{v4, Released, false}); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		d.Close()
		if took := time.Since(start); took > 2*pauses[0] {
			t.Errorf("Close took %v", took)
		}
		if len(ip4.sent) != copies || len(ip6.sent) != copies {
			t.Errorf("said %d and %d times, want %d", len(ip4.sent), len(ip6.sent), copies)
		}
	})
}

// A datagram has up to 64 notes, and each may cost an answer: it is notes that count.
func TestNotesOfAFloodAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ip4 := newWire("IPv4", nil)
		d := newDesk(t, ip4, nil)
		m, _ := parseMAC(eni)
		go func() {
			for n := uint32(1); ; n++ {
				select {
				case ip4.incoming <- datagram{m, name{1, n}, name{}, slices.Repeat([]Note{{v4, Nothing, true}}, maxNotes)}.appendTo(nil):
				case <-ip4.broken:
					return
				}
			}
		}()
		heard := 0
		for end := time.After(10*floodWindow - time.Millisecond); ; {
			select {
			case h := <-d.Heard():
				heard += len(h.Notes)
				continue
			case <-end:
			}
			break
		}
		if most := 10 * (floodBurst + maxNotes); heard == 0 || heard > most {
			t.Errorf("%d notes of a flood are heard in %v, want %d at most", heard, 10*floodWindow, most)
		}
	})
}

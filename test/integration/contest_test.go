// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

const (
	hintInterval = "--hint-interval=1s" // the shortest allowed
	// shortest is the shortest --describe-interval.
	shortest = 30 * time.Second
)

// TestALostAddressIsPutBack: law 4. Somebody unassigns the addresses by hand.
func TestALostAddressIsPutBack(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{upf})
	p := l.container("upf").ready(hintInterval)
	l.untilHinted("upf", 2) // IMDS has shown the addresses
	l.VPC.ResetCalls()
	l.lose("w1-sig", "10.0.1.100", "2001:db8:0:1::100")
	p.untilLogged("address missing from its ENI", "address", "10.0.1.100")
	p.untilLogged("address missing from its ENI", "address", "2001:db8:0:1::100")
	l.untilHeld("w1-sig", "10.0.1.100", "2001:db8:0:1::100")
	for _, c := range l.callsOf("w1") {
		if c.Params["AllowReassignment"] == "true" {
			t.Errorf("%s %v may steal", c.Action, c.Addresses)
		}
	}
}

// lose takes addresses from an ENI, in whoever's name.
func (l *lab) lose(eni string, addresses ...string) {
	l.t.Helper()
	for _, a := range addrs(addresses...) {
		var err error
		if a.Is4() {
			err = l.VPC.UnassignPrivateIPAddresses(l.t.Context(), model.UnassignPrivateIPAddressesInput{NetworkInterfaceID: l.id(eni), Addresses: []netip.Addr{a}})
		} else {
			_, err = l.VPC.UnassignIPv6Addresses(l.t.Context(), model.UnassignIPv6AddressesInput{NetworkInterfaceID: l.id(eni), Addresses: []netip.Addr{a}})
		}
		check(l.t, err)
	}
}

// untilHinted waits until a pod's registrar has asked IMDS n times more, while
// it has no reason to ask EC2: for bursts of TCP segments that the pod sends.
func (l *lab) untilHinted(pod string, n int) {
	l.t.Helper()
	const pause = 500 * time.Millisecond // half of the shortest --hint-interval
	last, changed, bursts := l.sentSegments(pod), time.Now(), 0
	l.eventually(fmt.Sprintf("asked of IMDS %d times", n), func() (any, bool) {
		if now := l.sentSegments(pod); now != last {
			if time.Since(changed) > pause {
				bursts++
			}
			last, changed = now, time.Now()
		}
		return bursts, bursts >= n && time.Since(changed) > pause/2
	})
}

// sentSegments counts the TCP segments that a pod has sent, as the kernel has
// them in /proc/net/snmp.
func (l *lab) sentSegments(pod string) (sent string) {
	l.t.Helper()
	check(l.t, l.Fabric.Pod(pod).Run(func() error {
		raw, err := os.ReadFile("/proc/thread-self/net/snmp")
		if err != nil {
			return err
		}
		var names []string
		for line := range strings.Lines(string(raw)) {
			f := strings.Fields(line)
			switch i := slices.Index(names, "OutSegs"); {
			case f[0] == "Tcp:" && names == nil:
				names = f
			case f[0] == "Tcp:" && i >= 0:
				sent = f[i]
			}
		}
		return nil
	}))
	if sent == "" {
		l.t.Fatal("the kernel does not count OutSegs in /proc/net/snmp")
	}
	return sent
}

// TestTwoPodsWithOneAddressDoNotFight: law 4. Both believe to be active; the
// hold-downs double, and when one gives up the other has its traffic back.
func TestTwoPodsWithOneAddressDoNotFight(t *testing.T) {
	t.Parallel()
	// Longer than the hint interval, so that IMDS shows an address before the
	// rival takes it; else its loss is noticed only when IMDS's lag is over.
	const holdDown = "--hold-down=2s"
	l := newLab(t, []string{upf, standby, client})
	l.container("client").run("init").wantExit(0)
	l.add("upf", "net1", floating4)
	c := l.container("upf")
	p := c.ready(hintInterval, holdDown, "--metrics-address=127.0.0.1:9464")
	l.container("standby").ready(hintInterval, holdDown)
	l.untilHinted("upf", 2)

	began := time.Now()
	l.add("standby", "net1", floating4)
	l.answers("standby", floating4)
	l.untilReaches("client", floating4, "standby")
	row := c.untilState(floating4, "Contested")
	if row.Owner != l.id("w2-sig") || row.Cure == "" || row.Retry == nil {
		t.Errorf("the status is %+v, want the owner %s, a cure and the time of the next try", row, l.id("w2-sig"))
	}
	p.untilLogged("address held by another ENI", "address", floating4, "owner", l.id("w2-sig"))
	p.untilLogged("address claimed again after its hold-down", "address", floating4)
	l.eventually("contested and claimed in the metrics", func() (any, bool) {
		m := l.scrape("upf", 9464)
		return m, m["multus_ip_registrar_contested_total"] >= 1 && m["multus_ip_registrar_holddown_claims_total"] >= 1
	})

	// Each has waited 2 s, 4 s … and for some hints in between.
	time.Sleep(8*time.Second - time.Since(began))
	claims := slices.DeleteFunc(l.VPC.Calls("AssignPrivateIpAddresses"), func(c model.Call) bool {
		return c.Params["AllowReassignment"] != "true" || !slices.Contains(c.Addresses, floating4)
	})
	if len(claims) > 8 {
		t.Errorf("%d claims in 8 s: that is a fight", len(claims))
	}

	l.del("standby", "net1", floating4)
	l.answers("upf", floating4)
	l.untilReaches("client", floating4, "upf")
	c.untilState(floating4, "Assigned")
	l.untilHeld("w2-sig", "10.0.1.101", "2001:db8:0:1::101")
}

// TestStaleIMDSCostsNoCall: what IMDS does not show yet is not lost. The two
// looks after a floating IP's claim are all that is asked of EC2.
func TestStaleIMDSCostsNoCall(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{upf})
	l.VPC.TuneIMDS("", func(s *model.IMDSState) { s.Staleness = time.Hour })
	l.container("upf").ready(hintInterval)
	l.add("upf", "net1", floating4)
	l.untilHeld("w1-sig", "10.0.1.100", floating4, "2001:db8:0:1::100")
	l.VPC.ResetCalls()
	l.eventually("both looks", func() (any, bool) {
		n := len(l.VPC.Calls("DescribeNetworkInterfaces"))
		return n, n == 2
	})
	l.untilHinted("upf", 4)
	l.wantCalls("DescribeNetworkInterfaces×2")
}

// TestIdleCostsNoCall: law 8.
func TestIdleCostsNoCall(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{threeNets})
	p := l.container("smf").ready(hintInterval)
	l.eventually("all of the start in the log", func() (any, bool) {
		n := len(p.logged("address assigned"))
		return n, n == 7
	})
	said := len(p.lines())
	l.VPC.ResetCalls()
	l.untilHinted("smf", 5)
	l.wantCalls("")
	if more := p.lines()[said:]; len(more) > 0 {
		t.Errorf("it says %v while nothing happens", more)
	}
}

// TestWithoutIMDSEC2IsAskedNowAndThen: law 4, where there is no free hint.
func TestWithoutIMDSEC2IsAskedNowAndThen(t *testing.T) {
	t.Parallel()
	block := func(s *model.IMDSState) { s.Blocked = true }
	for _, from := range []string{"from the start", "later"} {
		t.Run(from, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, []string{upf})
			if from == "from the start" {
				l.VPC.TuneIMDS("", block)
				time.Sleep(100 * time.Millisecond) // the network follows IMDS's state within 20 ms
			}
			l.container("upf").ready(hintInterval, "--describe-interval="+shortest.String())
			l.VPC.TuneIMDS("", block)
			l.VPC.ResetCalls()
			began := time.Now()
			l.lose("w1-sig", "10.0.1.100")
			for len(l.held("w1-sig")) < 2 && time.Since(began) < shortest+patience {
				time.Sleep(10 * glance)
			}
			l.wantHeld("w1-sig", "10.0.1.100", "2001:db8:0:1::100")
			if took := time.Since(began); took < shortest/2 {
				t.Errorf("it was put back after %v, without a hint", took)
			}
			if got := tally(l.callsOf("w1")); got != "AssignPrivateIpAddresses×1 DescribeNetworkInterfaces×1" {
				t.Errorf("EC2 was asked for %s", got)
			}
		})
	}
}

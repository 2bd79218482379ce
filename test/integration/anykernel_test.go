// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"os"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
)

// The tests of this file are short, and run on kernels of any make: in
// User-Mode Linux, too, which has the ipvlan that this machine may lack.

// TestKernelGivesPodsTheENIsMAC: what matching rests on, for whatever kind of
// interface the fabric has.
func TestKernelGivesPodsTheENIsMAC(t *testing.T) {
	l := newLab(t, []string{upf})
	h, err := l.Fabric.Pod("upf").Handle()
	check(t, err)
	net1, err := h.LinkByName("net1")
	check(t, err)
	eni, _ := l.VPC.ENI("w1-sig")
	if mac := net1.Attrs().HardwareAddr.String(); mac != eni.MAC {
		t.Errorf("net1 has the MAC address %s, want that of its ENI, %s", mac, eni.MAC)
	}
	if os.Getenv(ipvlanEnv) != "1" {
		return
	}
	if _, ok := net1.(*netlink.IPVlan); !ok {
		t.Fatalf("net1 is %s, want ipvlan", net1.Type())
	}
	w, err := l.Fabric.Worker("w1").Handle()
	check(t, err)
	master, err := w.LinkByIndex(net1.Attrs().ParentIndex)
	check(t, err)
	if mac := master.Attrs().HardwareAddr.String(); mac != eni.MAC {
		t.Errorf("net1's master %s has the MAC address %s, want %s", master.Attrs().Name, mac, eni.MAC)
	}
}

// TestKernelMatchesByMAC: w1-sig and w1-sig2 lie in one subnet, so that only
// the MAC address tells them apart.
func TestKernelMatchesByMAC(t *testing.T) {
	l := newLab(t, []string{"upf w1 net1=w1-sig2,10.0.1.100/24,2001:db8:0:1::100/64"})
	l.container("upf").run("init").wantExit(0)
	l.wantHeld("w1-sig2", "10.0.1.100", "2001:db8:0:1::100")
	l.wantHeld("w1-sig")
}

func TestKernelInitMakesPodsReachEachOther(t *testing.T) {
	l := newLab(t, []string{upf, client})
	l.container("client").run("init").wantExit(0)
	l.answers("upf", "10.0.1.100", "2001:db8:0:1::100")
	l.wantSilence("client", "10.0.1.100")
	l.wantSilence("client", "2001:db8:0:1::100")
	l.container("upf").run("init").wantExit(0)
	l.untilReaches("client", "10.0.1.100", "upf")
	l.untilReaches("client", "2001:db8:0:1::100", "upf")
}

func TestKernelSidecarFollowsTheAddresses(t *testing.T) {
	l := newLab(t, []string{upf})
	p := l.container("upf").ready()
	l.add("upf", "net1", floating4, floating6)
	l.untilHeld("w1-sig", "10.0.1.100", floating4, "2001:db8:0:1::100", floating6)
	l.del("upf", "net1", floating4, floating6)
	l.untilHeld("w1-sig", "10.0.1.100", "2001:db8:0:1::100")
	p.terminate()
	p.wantExit(0)
	l.wantHeld("w1-sig")
}

func TestKernelFailoverTakesThePackets(t *testing.T) {
	l := newLab(t, []string{upf, standby, client})
	l.container("client").run("init").wantExit(0)
	l.container("upf").ready()
	l.container("standby").ready()
	from := "upf"
	for _, to := range []string{"upf", "standby", "upf"} {
		for _, a := range []string{floating4, floating6} {
			if to != from {
				l.del(from, "net1", a)
			}
			l.add(to, "net1", a)
			l.answers(to, a)
			l.untilReaches("client", a, to)
		}
		from = to
	}
}

// TestKernelHandsOverOnOneENI: the floating addresses go to and fro between two
// pods on one worker and one ENI. EC2 has them all the time: nobody unassigns
// them, and the client's packets are answered by whoever has them.
func TestKernelHandsOverOnOneENI(t *testing.T) {
	l := newLab(t, []string{upf, "sibling w1 net1=w1-sig,10.0.1.101/24,2001:db8:0:1::101/64", client})
	l.container("client").run("init").wantExit(0)
	l.add("upf", "net1", floating4, floating6)
	l.answers("upf", floating4, floating6)
	containers := map[string]*container{"upf": l.container("upf"), "sibling": l.container("sibling")}
	// The holder first: one that starts after its standby does not learn of it (ADR 7, "A known gap").
	for _, name := range []string{"upf", "sibling"} {
		containers[name].ready("--floating-ips", floating4+","+floating6)
	}
	time.Sleep(time.Second) // they have greeted one another
	from := "upf"
	for _, to := range []string{"sibling", "upf", "sibling"} {
		l.del(from, "net1", floating4, floating6)
		l.add(to, "net1", floating4, floating6)
		containers[to].untilState(floating4, ledger.Assigned)
		containers[to].untilState(floating6, ledger.Assigned)
		l.answers(to, floating4, floating6)
		l.untilReaches("client", floating4, to)
		l.untilReaches("client", floating6, to)
		from = to
	}
	time.Sleep(2 * time.Second) // whoever wanted to release would have by now
	for _, c := range l.callsOf("w1", "Unassign*") {
		t.Errorf("at %s %s of %v, want none", c.Time.Format("05.000"), c.Action, c.Addresses)
	}
	l.wantHeld("w1-sig", "10.0.1.100", "10.0.1.101", floating4, "2001:db8:0:1::100", "2001:db8:0:1::101", floating6)
}

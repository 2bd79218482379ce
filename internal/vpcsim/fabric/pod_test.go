// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"bytes"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/vswitch"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

func TestHotPluggedInterfaceWorksAndGoes(t *testing.T) {
	f, o := start(t, Options{})
	assignAll(o)
	a := f.Pod("a")
	net2 := topology.Interface{Name: "net2", ENI: "w1-media", Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.2.101/24")}}
	if err := a.AddInterface(net2); err != nil {
		t.Fatal(err)
	}
	o.assign("w1-media", "10.0.2.101")
	wantPing(t, a.Namespace, "10.0.2.101", "10.0.2.104")
	if err := a.AddInterface(net2); err == nil {
		t.Error("a second net2 was added")
	}
	if err := a.DelInterface("net2"); err != nil {
		t.Fatal(err)
	}
	if err := a.Run(func() error { _, err := net.InterfaceByName("net2"); return err }); err == nil {
		t.Error("net2 is still there")
	}
	wantPing(t, a.Namespace, "10.0.1.101", "10.0.2.104")
}

func TestPodsCanBeReplaced(t *testing.T) {
	f, o := start(t, Options{})
	assignAll(o)
	spec := f.topo.Pods[0]
	for range 2 {
		old := f.Pod("a")
		if err := old.Remove(); err != nil {
			t.Fatal(err)
		}
		wantSilence(t, f.Pod("b").Namespace, "10.0.1.103", "10.0.1.101")
		if _, err := f.AddPod(spec); err != nil {
			t.Fatal(err)
		}
		wantPing(t, f.Pod("b").Namespace, "10.0.1.103", "10.0.1.101")
		if err := old.Remove(); err != nil || f.Pod("a") == nil {
			t.Fatalf("the old pod, removed twice, takes the new one with it (%v)", err)
		}
	}
}

func TestInterfacesLookAsMultusMakesThem(t *testing.T) {
	f, _ := start(t, Options{})
	var got net.Interface
	err := f.Pod("a").Run(func() error {
		i, err := net.InterfaceByName("net1")
		if err == nil {
			got = *i
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := f.byName["w1-sig"].spec.MAC; got.HardwareAddr.String() != want {
		t.Errorf("MAC of net1 = %s, want the ENI's %s", got.HardwareAddr, want)
	}
	if got.MTU != DefaultMTU || got.Flags&net.FlagUp == 0 {
		t.Errorf("net1 = %+v, want it up with MTU %d", got, DefaultMTU)
	}
}

func TestProcessesRunInsideOfThePod(t *testing.T) {
	f, _ := start(t, Options{})
	var out bytes.Buffer
	cmd := exec.Command("cat", "/proc/net/dev")
	cmd.Stdout = &out
	if err := f.Pod("a").Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "net1:") || strings.Contains(out.String(), "aws0:") {
		t.Errorf("devices that the process sees:\n%s", out.String())
	}
}

func TestSourceCheckDropsWhatTheENIDoesNotOwn(t *testing.T) {
	f, o := start(t, Options{})
	assignAll(o)
	thief := f.Pod("a")
	if err := thief.AddAddress("net1", netip.MustParsePrefix("10.0.1.103/32")); err != nil { // b's
		t.Fatal(err)
	}
	before := f.Counters("w2-media").Delivered
	wantSilence(t, thief.Namespace, "10.0.1.103", "10.0.2.104")
	c := f.Counters("w1-sig")
	if len(c.Drops) != 1 || c.Drops[0].Reason != vswitch.SourceCheck || c.Drops[0].Src.String() != "10.0.1.103" || c.Drops[0].Dst.String() != "10.0.2.104" {
		t.Errorf("counters = %+v, want source-check drops of 10.0.1.103 → 10.0.2.104", c)
	}
	if after := f.Counters("w2-media").Delivered; after != before {
		t.Errorf("%d packets arrived all the same", after-before)
	}
}

func TestDuplicateAddressDetectionLetsAddressesPass(t *testing.T) {
	f, o := start(t, Options{DAD: true})
	assignAll(o)
	wantPing(t, f.Pod("a").Namespace, "2001:db8:0:1::101", "2001:db8:0:1::103")
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/vswitch"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// vmWorld has a virtual machine, one more, and a worker with a pod.
const vmWorld = `
vpc: {cidrs: [10.0.0.0/16, "2001:db8:0:0::/56"]}
subnets:
- {name: node, cidr: 10.0.0.0/24, ipv6: "2001:db8::/64"}
- {name: sig, cidr: 10.0.1.0/24, ipv6: "2001:db8:0:1::/64"}
workers:
- name: vm1
  machine: vm
  enis:
  - {name: v1-node, index: 0, subnet: node, ip: 10.0.0.21}
  - {name: v1-sig, index: 1, subnet: sig, ip: 10.0.1.21}
- name: vm2
  machine: vm
  enis: [{name: v2-node, index: 0, subnet: node, ip: 10.0.0.22}]
- name: worker2
  pod-cidr: 100.64.2.0/24
  enis:
  - {name: w2-node, index: 0, subnet: node, ip: 10.0.0.12}
  - {name: w2-sig, index: 1, subnet: sig, ip: 10.0.1.12}
pods:
- {name: b, worker: worker2, interfaces: [{name: net1, eni: w2-sig, addresses: [10.0.1.103/24, "2001:db8:0:1::103/64"]}]}
`

// plugIn does what a virtual machine does: it opens the NIC's tap. The guest is
// a namespace with a device of that NIC, eth0. pull ends it.
func plugIn(t *testing.T, f *Fabric, worker, eni string, addresses ...string) (guest *netspace.Namespace, pull func()) {
	t.Helper()
	w := f.Worker(worker)
	n, err := w.NIC(eni)
	if err != nil {
		t.Fatal(err)
	}
	guest, err = netspace.Scratch()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = guest.Close() })
	inside, err := openTap(guest, "eth0", n.MTU, n.MAC)
	if err != nil {
		t.Fatal(err)
	}
	var outside tap
	err = w.Run(func() error {
		file, err := openTun(n.Tap)
		outside = tap{file}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var copies sync.WaitGroup
	for _, way := range [][2]tap{{inside, outside}, {outside, inside}} {
		copies.Go(func() {
			buf := make([]byte, 1<<14)
			for {
				l, err := way[0].ReadFrame(buf)
				if err != nil {
					return
				}
				_ = way[1].WriteFrame(buf[:l]) // a device that is down
			}
		})
	}
	pull = sync.OnceFunc(func() {
		_ = inside.Close()
		_ = outside.Close()
		copies.Wait()
	})
	t.Cleanup(pull)
	if err := guest.Set(netspace.Sysctl{Key: "ipv6/conf/eth0/accept_dad", Value: "0"}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(setUp(guest, "lo"), setUp(guest, "eth0")); err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if err := addAddress(guest, "eth0", netip.MustParsePrefix(a), false); err != nil {
			t.Fatal(err)
		}
	}
	awaitCarrier(t, w, n.Tap)
	router := f.byName[eni].router4()
	if err := addRoutes(guest, route{to: "0.0.0.0/0", device: "eth0", via: router}); err != nil {
		t.Fatal(err)
	}
	return guest, pull
}

// awaitCarrier waits until the kernel has noticed that a tap is open.
func awaitCarrier(t *testing.T, w *Worker, device string) {
	t.Helper()
	for noticed := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		var up bool
		err := withLink(w.Namespace, device, func(_ *netlink.Handle, l netlink.Link) error {
			up = l.Attrs().Flags&net.FlagRunning != 0
			return nil
		})
		switch {
		case err != nil:
			t.Fatal(err)
		case up:
			return
		case time.Now().After(noticed):
			t.Fatalf("%s has no carrier", device)
		}
	}
}

func startVMs(t *testing.T) (*Fabric, *ownership) {
	t.Helper()
	f, o := startWorld(t, vmWorld, Options{})
	o.assign("w2-sig", "10.0.1.103", "2001:db8:0:1::103")
	return f, o
}

func TestAVirtualMachinesNICIsAnENI(t *testing.T) {
	f, o := startVMs(t)
	guest, pull := plugIn(t, f, "vm1", "v1-sig", "10.0.1.21/24", "10.0.1.121/24", "2001:db8:0:1::121/64")
	pod := f.Pod("b").Namespace
	wantPing(t, guest, "10.0.1.21", "10.0.1.103")
	for _, ip := range []struct{ vm, pod string }{{"10.0.1.121", "10.0.1.103"}, {"2001:db8:0:1::121", "2001:db8:0:1::103"}} {
		wantSilence(t, pod, ip.pod, ip.vm)
		wantSilence(t, guest, ip.vm, ip.pod)
		o.assign("v1-sig", ip.vm)
		wantPing(t, pod, ip.pod, ip.vm)
		wantPing(t, guest, ip.vm, ip.pod)
	}
	c := f.Counters("v1-sig")
	if c.Sent == 0 || c.Delivered == 0 || c.Dropped[vswitch.SourceCheck] == 0 {
		t.Errorf("counters = %+v, want all kinds", c)
	}
	if n := c.Dropped[vswitch.UnknownMAC]; n != 0 {
		t.Errorf("%d frames from a MAC that the ENI does not have: the wire itself talks", n)
	}
	other, err := net.ParseMAC("02:00:00:00:00:77")
	if err != nil {
		t.Fatal(err)
	}
	pull()
	for noticed := time.Now().Add(patience); f.Counters("w2-sig").Dropped[vswitch.Unplugged] == 0; {
		wantSilence(t, pod, "10.0.1.103", "10.0.1.121")
		if time.Now().After(noticed) {
			t.Fatal("what is sent to a machine without power is not dropped as unplugged")
		}
	}
	again, _ := plugIn(t, f, "vm1", "v1-sig", "10.0.1.121/24")
	wantPing(t, again, "10.0.1.121", "10.0.1.103")
	err = withLink(again, "eth0", func(h *netlink.Handle, l netlink.Link) error { return h.LinkSetHardwareAddr(l, other) })
	if err != nil {
		t.Fatal(err)
	}
	wantSilence(t, again, "10.0.1.121", "10.0.1.103")
	if n := f.Counters("v1-sig").Dropped[vswitch.UnknownMAC]; n == 0 {
		t.Error("frames from a MAC that the ENI does not have were not dropped as such")
	}
}

func TestServicesOfAWSAreReachedThroughTheVPC(t *testing.T) {
	f, o := startVMs(t)
	one, _ := plugIn(t, f, "vm1", "v1-node", "10.0.0.21/24")
	two, _ := plugIn(t, f, "vm2", "v2-node", "10.0.0.22/24", "10.0.0.122/24")
	sig, _ := plugIn(t, f, "vm1", "v1-sig", "10.0.1.21/24")
	for _, worker := range []string{"vm1", "vm2", "worker2"} {
		l, err := f.ListenIMDS(t.Context(), worker)
		if err != nil {
			t.Fatal(err)
		}
		answer(t, l, worker)
	}
	l, err := f.ListenEC2(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	answer(t, l, "EC2")

	const imds = "169.254.169.254:80"
	ec2 := topology.DefaultEC2Address.String()
	for _, tc := range []struct {
		name     string
		from     *netspace.Namespace
		src, dst string
		want     string // "": no answer
	}{
		{"vm1's IMDS", one, "10.0.0.21", imds, "vm1"},
		{"vm2's IMDS", two, "10.0.0.22", imds, "vm2"},
		{"another worker's IMDS", f.Worker("worker2").Namespace, "", imds, "worker2"},
		{"IMDS on a secondary ENI", sig, "10.0.1.21", imds, ""},
		{"EC2 from vm1", one, "10.0.0.21", ec2, "EC2"},
		{"EC2 from vm2", two, "10.0.0.22", ec2, "EC2"},
		{"EC2 from a secondary ENI", sig, "10.0.1.21", ec2, "EC2"},
		{"EC2 from a worker", f.Worker("worker2").Namespace, "", ec2, "EC2"},
		{"EC2 from a pod", f.Pod("b").Namespace, "", ec2, "EC2"},
		{"IMDS from an address that is not the ENI's", two, "10.0.0.122", imds, ""},
		{"EC2 from an address that is not the ENI's", two, "10.0.0.122", ec2, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := ask(t, tc.from, tc.src, tc.dst, tc.want); got != tc.want {
				t.Errorf("%q answers, want %q", got, tc.want)
			}
		})
	}
	o.assign("v2-node", "10.0.0.122")
	for dst, want := range map[string]string{imds: "vm2", ec2: "EC2"} {
		if got := ask(t, two, "10.0.0.122", dst, want); got != want {
			t.Errorf("from a secondary address %q answers, want %q", got, want)
		}
	}
	for _, blocked := range []bool{true, false} {
		if err := f.Worker("vm1").BlockIMDS(blocked); err != nil {
			t.Fatal(err)
		}
		want := map[bool]string{true: "", false: "vm1"}[blocked]
		if got := ask(t, one, "10.0.0.21", imds, want); got != want {
			t.Errorf("blocked is %v and %q answers, want %q", blocked, got, want)
		}
		if got := ask(t, two, "10.0.0.22", imds, "vm2"); got != "vm2" {
			t.Errorf("vm1's IMDS is blocked (%v) and for vm2 %q answers", blocked, got)
		}
	}
}

func TestAVirtualMachineTakesNoPodsAndIsRemoved(t *testing.T) {
	f, _ := startVMs(t)
	if _, err := f.AddPod(topology.Pod{Name: "x", Worker: "vm1"}); err == nil || !strings.Contains(err.Error(), "is a virtual machine") {
		t.Errorf("a pod is added to a virtual machine: %v", err)
	}
	if _, err := f.Worker("worker2").NIC("w2-sig"); err == nil {
		t.Error("an ENI of a namespace has a NIC")
	}
	guest, _ := plugIn(t, f, "vm1", "v1-node", "10.0.0.21/24")
	wantPing(t, guest, "10.0.0.21", "10.0.0.12")
	if err := f.Worker("vm1").Remove(); err != nil {
		t.Fatal(err)
	}
	wantSilence(t, guest, "10.0.0.21", "10.0.0.12")
	if f.Worker("vm1") != nil {
		t.Error("vm1 is still listed")
	}
}

// answer writes text to whoever connects.
func answer(t *testing.T, l net.Listener, text string) {
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, text)
			_ = c.Close()
		}
	}()
}

// ask connects and returns what is said, "" for no connection: within a moment,
// where none is wanted.
func ask(t *testing.T, from *netspace.Namespace, src, dst, want string) string {
	t.Helper()
	within := patience
	if want == "" {
		within = 2 * silence
	}
	var text []byte
	err := from.Run(func() error {
		d := net.Dialer{Timeout: within}
		if src != "" {
			d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(src)}
		}
		c, err := d.DialContext(t.Context(), "tcp4", dst)
		if err != nil {
			return err
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(patience))
		text, err = io.ReadAll(c)
		return err
	})
	if err != nil {
		t.Logf("%v", err)
	}
	return string(text)
}

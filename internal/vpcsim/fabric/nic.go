// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/vswitch"
)

// A NIC is where a virtual machine (topology.MachineVM) is plugged into the
// VPC: a persistent tap device in the worker's namespace, for the machine's
// program to open by name (TUNSETIFF without IFF_MULTI_QUEUE). It may offer
// and use a virtio header with checksum and segmentation offloads.
//
// The NIC is up while the program has the tap open (the kernel may take a
// second to notice either); otherwise what the VPC sends to it is dropped as
// vswitch.Unplugged. It may be opened and closed any number of times, which is
// how a NIC is hot-plugged and a machine restarted.
type NIC struct {
	// ENI is the topology's name, Index the device index: 0 is the primary.
	ENI   string
	Index int
	// MAC is what the machine must send from.
	MAC net.HardwareAddr
	// Tap is the device's name in the worker's namespace.
	Tap string
	// MTU is what the VPC carries.
	MTU int
}

// UML is the NIC as User-Mode Linux wants it on its command line, or behind
// "config " at its management console: the guest's device is vecN, with N the
// device index. User-Mode Linux has the tap open while that device is up. It
// drops segments that offload has left together unless there is gro=1; the VPC
// sends none, but what else is put on the bridge might.
// Source: Linux, Documentation/virt/uml/user_mode_linux_howto_v2.rst.
func (n NIC) UML() string {
	return fmt.Sprintf("vec%d:transport=tap,ifname=%s,mac=%s,mtu=%d,gro=1", n.Index, n.Tap, n.MAC, n.MTU)
}

// NICs are the NICs of a virtual machine by device index in the topology's
// order; nil for other workers.
func (w *Worker) NICs() []NIC { return w.nics }

// NIC returns the NIC of an ENI, by topology name.
func (w *Worker) NIC(eniName string) (NIC, error) {
	for _, n := range w.nics {
		if n.ENI == eniName {
			return n, nil
		}
	}
	return NIC{}, fmt.Errorf("worker %s has no NIC for ENI %s: it is not an ENI of a worker with machine: vm", w.Name, eniName)
}

// addNIC plugs an ENI of a virtual machine into the switch: the machine's tap
// and the switch's are joined by a bridge, whose kernel computes the checksums
// and cuts the segments that the machine leaves to its NIC.
func (w *Worker) addNIC(e *eni) error {
	f := w.fabric
	n := NIC{ENI: e.spec.Name, Index: e.spec.Index, MAC: e.mac(), Tap: fmt.Sprintf("tap%d", e.spec.Index), MTU: f.opts.MTU}
	inside, bridge := fmt.Sprintf("vpc%d", n.Index), fmt.Sprintf("br%d", n.Index)
	t, err := openTap(w.Namespace, inside, n.MTU, nil)
	if err != nil {
		return err
	}
	port, err := newNICPort(w.Namespace, t, n.Tap)
	if err != nil {
		return errors.Join(err, t.Close())
	}
	unplug, err := f.sw.Plug(e.spec.ID, vswitch.Master, port)
	if err != nil {
		return errors.Join(err, port.Close())
	}
	w.unplug = append(w.unplug, unplug)
	if err := addPersistentTap(w.Namespace, n.Tap, n.MTU); err != nil {
		return err
	}
	if err := addWire(w.Namespace, bridge, n.MTU, inside, n.Tap); err != nil {
		return err
	}
	w.nics = append(w.nics, n)
	return nil
}

// addWire makes a bridge that passes every frame from one device to the other
// and learns nothing.
func addWire(ns *netspace.Namespace, name string, mtu int, ends ...string) error {
	h, err := ns.Handle()
	if err != nil {
		return err
	}
	off := false
	b := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: name, MTU: mtu, TxQLen: -1}, MulticastSnooping: &off}
	if err := h.LinkAdd(b); err != nil {
		return fmt.Errorf("create bridge %s in %s (try \"modprobe bridge\"): %w", name, ns.Name, err)
	}
	for _, end := range ends {
		err := withLink(ns, end, func(h *netlink.Handle, l netlink.Link) error {
			return errors.Join(h.LinkSetMaster(l, b), h.LinkSetLearning(l, false), h.LinkSetUp(l))
		})
		if err != nil {
			return err
		}
	}
	return setUp(ns, name)
}

// bridgeUnfiltered keeps the machine's packet filters, which a container
// runtime may have switched on for bridges, away from those of a namespace.
func bridgeUnfiltered(ns *netspace.Namespace) error {
	for _, key := range []string{"iptables", "ip6tables", "arptables"} {
		err := ns.Set(netspace.Sysctl{Key: "bridge/bridge-nf-call-" + key, Value: "0"})
		if err != nil && !errors.Is(err, os.ErrNotExist) { // the module br_netfilter is not there
			return err
		}
	}
	return nil
}

// A nicPort is the switch's end of a NIC.
type nicPort struct {
	tap
	nic   string
	flags *os.File // a socket in the worker's namespace
}

var errNotPluggedIn = errors.New("no virtual machine has the NIC's tap open, or its link is down")

func newNICPort(ns *netspace.Namespace, t tap, nic string) (*nicPort, error) {
	p := &nicPort{tap: t, nic: nic}
	err := ns.Run(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			p.flags = os.NewFile(uintptr(fd), filepath.Join(ns.Name, nic))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open a socket in namespace %s: %w", ns.Name, err)
	}
	return p, nil
}

// WriteFrame asks whether somebody is there first: a bridge does not tell.
func (p *nicPort) WriteFrame(frame []byte) error {
	up, err := p.pluggedIn()
	if err != nil {
		return err
	}
	if !up {
		return errNotPluggedIn
	}
	return p.tap.WriteFrame(frame)
}

func (p *nicPort) pluggedIn() (bool, error) {
	req, err := unix.NewIfreq(p.nic)
	if err != nil {
		return false, err
	}
	raw, err := p.flags.SyscallConn()
	if err != nil {
		return false, err
	}
	var inner error
	err = raw.Control(func(fd uintptr) { inner = unix.IoctlIfreq(int(fd), unix.SIOCGIFFLAGS, req) })
	return req.Uint16()&unix.IFF_RUNNING != 0, errors.Join(err, inner)
}

func (p *nicPort) Close() error { return errors.Join(p.tap.Close(), p.flags.Close()) }

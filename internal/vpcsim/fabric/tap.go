// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
)

// A tap is the far end of a tap device: a vswitch.Port. It offers no offloads,
// so the kernel computes every checksum and cuts every segment. The device
// goes when the tap is closed.
type tap struct{ *os.File }

func (t tap) ReadFrame(buf []byte) (int, error) { return t.Read(buf) }

func (t tap) WriteFrame(frame []byte) error {
	_, err := t.Write(frame)
	return err
}

// openTap makes a tap device in a namespace and leaves it down. mac may be nil.
func openTap(ns *netspace.Namespace, name string, mtu int, mac net.HardwareAddr) (tap, error) {
	var file *os.File
	err := ns.Run(func() (err error) {
		file, err = openTun(name)
		return err
	})
	if err != nil {
		return tap{}, fmt.Errorf("create tap %s in %s: %w", name, ns.Name, err)
	}
	if err := setUpTap(ns, name, mtu, mac); err != nil {
		return tap{}, errors.Join(fmt.Errorf("create tap %s in %s: %w", name, ns.Name, err), file.Close())
	}
	return tap{file}, nil
}

// addPersistentTap makes a tap device that stays when nobody has it open, and
// leaves it down.
func addPersistentTap(ns *netspace.Namespace, name string, mtu int) error {
	err := ns.Run(func() error {
		file, err := openTun(name)
		if err != nil {
			return err
		}
		raw, err := file.SyscallConn()
		if err == nil {
			var inner error
			err = raw.Control(func(fd uintptr) { inner = unix.IoctlSetInt(int(fd), unix.TUNSETPERSIST, 1) })
			err = errors.Join(err, inner)
		}
		return errors.Join(err, file.Close())
	})
	if err == nil {
		err = setUpTap(ns, name, mtu, nil)
	}
	if err != nil {
		return fmt.Errorf("create tap %s in %s: %w", name, ns.Name, err)
	}
	return nil
}

func openTun(name string) (*os.File, error) {
	const device = "/dev/net/tun"
	fd, err := unix.Open(device, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return nil, fmt.Errorf("open %s (allow it with \"chmod 666 %s\", or run as root): %w", device, device, err)
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return nil, fmt.Errorf("open %s (try \"modprobe tun\"; in Docker, \"--device %s\"): %w", device, device, err)
	case err != nil:
		return nil, fmt.Errorf("open %s: %w", device, err)
	}
	req, err := unix.NewIfreq(name)
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	req.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
		return nil, errors.Join(fmt.Errorf("TUNSETIFF: %w", err), unix.Close(fd))
	}
	// Only now: the poller takes a descriptor without a device for broken.
	return os.NewFile(uintptr(fd), device), nil
}

func setUpTap(ns *netspace.Namespace, name string, mtu int, mac net.HardwareAddr) error {
	h, err := ns.Handle()
	if err != nil {
		return err
	}
	link, err := h.LinkByName(name)
	if err != nil {
		return err
	}
	if mac != nil {
		if err := h.LinkSetHardwareAddr(link, mac); err != nil {
			return fmt.Errorf("set MAC address %s: %w", mac, err)
		}
	}
	if err := h.LinkSetMTU(link, mtu); err != nil {
		return fmt.Errorf("set MTU %d: %w", mtu, err)
	}
	return h.LinkSetTxQLen(link, tapQueue)
}

// tapQueue is how many frames wait for the switch before the kernel drops: a
// burst of some milliseconds. The kernel's default is 1000.
const tapQueue = 4000

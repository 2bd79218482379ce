// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"errors"
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// Features is what this kernel has that the fabric can do without.
type Features struct {
	// IPvlan: pods get real ipvlan devices.
	IPvlan bool
}

// Probe tries in a namespace of its own what the kernel has. It fails where
// the fabric cannot work at all, with the cure.
func Probe() (Features, error) {
	var have Features
	ns, err := netspace.Scratch()
	if errors.Is(err, unix.EPERM) {
		return have, fmt.Errorf("%w (not permitted: run as root, or in a user namespace)", err)
	}
	if err != nil {
		return have, err
	}
	defer ns.Close()
	tap, err := openTap(ns, "probe0", DefaultMTU, nil)
	if err != nil {
		return have, err
	}
	defer tap.Close()
	h, err := ns.Handle()
	if err != nil {
		return have, err
	}
	err = h.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "probe1"}, PeerName: "probe2"})
	if err != nil {
		return have, fmt.Errorf("create a veth device (try \"modprobe veth\"): %w", err)
	}
	master, err := h.LinkByName("probe0")
	if err != nil {
		return have, fmt.Errorf("find the probe's tap: %w", err)
	}
	err = h.LinkAdd(&netlink.IPVlan{
		LinkAttrs: netlink.LinkAttrs{Name: "probe3", ParentIndex: master.Attrs().Index}, Mode: netlink.IPVLAN_MODE_L2,
	})
	have.IPvlan = err == nil
	return have, nil
}

// haveIPv6 reports whether the kernel has IPv6, and an error when t needs it.
func haveIPv6(t topology.Topology) (bool, error) {
	_, err := os.Stat("/proc/sys/net/ipv6")
	if err == nil {
		return true, nil
	}
	for _, c := range t.VPC.CIDRs {
		if c.Addr().Is6() {
			return false, errors.New("the VPC has an IPv6 block and this kernel has no IPv6; try \"modprobe ipv6\", or leave the block out")
		}
	}
	return false, nil
}

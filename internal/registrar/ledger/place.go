// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"errors"
	"fmt"
	"slices"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
)

// eniKinds are the link kinds that a CNI plugin puts above an ENI; "" is a
// device moved into the pod. Others (tun, dummy, gre, wireguard …) are the
// application's own and lie on no ENI, unless their MAC says so.
var eniKinds = [...]string{"", "ipvlan", "macvlan", "macvtap", "ipvtap", "vlan", "veth"}

// ownMAC are those of them whose MAC is always their ENI's own: where no ENI is
// known to have it, the ENI is not known, and a subnet must not stand in for it.
// IMDS may take half a minute to list an ENI that was attached.
// Source: amazon-ecs-cni-plugins pull request 66, amazon-vpc-cni-k8s pull request 1311.
var ownMAC = [...]string{"", "ipvlan", "ipvtap"}

// selects says whether the interface is looked after.
func (l *Ledger) selects(i netwatch.Interface) bool {
	switch {
	case i.Loopback, slices.Contains(l.cfg.DefaultInterfaces, i.Name):
		return false
	case len(l.cfg.Interfaces) > 0:
		return slices.Contains(l.cfg.Interfaces, i.Name)
	}
	return slices.Contains(eniKinds[:], i.Kind) || l.byMAC(i.MAC) != ""
}

// Watched are the interfaces that are looked after.
func (l *Ledger) Watched() []netwatch.Interface {
	var out []netwatch.Interface
	for _, i := range l.links {
		if l.selects(i) {
			out = append(out, i)
		}
	}
	return out
}

// below are the ENIs below them that EC2 has described, or may not.
func (l *Ledger) below() []*eniState {
	var out []*eniState
	for _, i := range l.Watched() {
		if s := l.enis[l.byMAC(i.MAC)]; s != nil && !s.gone && s.described {
			out = append(out, s)
		}
	}
	return out
}

// macs are the link-layer addresses by which EC2 can be asked for the ENIs:
// those of the interfaces that may turn out to be looked after, and the default
// one's, which is an ENI's only on a worker's own network (law 9).
func (l *Ledger) macs() []string {
	var out []string
	for _, i := range l.links {
		named := len(l.cfg.Interfaces) == 0 || slices.Contains(l.cfg.Interfaces, i.Name)
		if i.MAC != "" && !i.Loopback && (named || slices.Contains(l.cfg.DefaultInterfaces, i.Name)) {
			out = append(out, i.MAC)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// byMAC is the ENI with the MAC, "" where there is none.
func (l *Ledger) byMAC(mac string) string {
	if mac == "" || l.inventory.known == nil {
		return ""
	}
	for _, e := range l.inventory.known.ENIs {
		if e.MAC == mac {
			return e.ID
		}
	}
	return ""
}

// match finds the ENI for a want, or a reason why it has none; with a reason
// the ENI is the one that is refused, if one is. An address that has a standing stays with
// its ENI as long as EC2 knows that one: a hole in IMDS's answer or a tag taken
// off must not take working addresses down.
func (l *Ledger) match(w want) (string, *eniassign.Reason) {
	for t, c := range l.claims {
		if t.Addr == w.addr && c.mac == w.mac && c.standing != None && !l.enis[t.ENI].isGone() {
			if t.Table != "" { // the annotation may name no table any more
				return t.ENI, l.checkAddress(w.addr, l.enis[t.ENI].about())
			}
			return t.ENI, nil
		}
	}
	if w.mac != "" && l.byMAC(w.mac) == "" && !slices.Contains(l.inventory.looked, w.mac) {
		// The ENIs are older than the interface: its own may have come with it.
		return "", reason(eniassign.NoENI, eniassign.Transient, "looking up the ENI with the MAC address "+w.mac+" of "+w.iface)
	}
	facts := l.facts()
	if w.mac != "" && l.byMAC(w.mac) == "" && slices.Contains(ownMAC[:], w.kind) {
		return "", ReasonOf(&eniassign.NoENIError{MAC: w.mac, Addr: w.addr, ENIs: facts, Own: true})
	}
	e, err := eniassign.Match(w.mac, w.addr, facts, l.cfg.Policy)
	if refused := (*eniassign.RefusedError)(nil); errors.As(err, &refused) {
		return refused.ENI.ID, ReasonOf(err)
	}
	if err != nil {
		return "", ReasonOf(err)
	}
	return e.ID, l.checkAddress(w.addr, e)
}

// facts are the ENIs of the inventory with what EC2 has told of them since.
func (l *Ledger) facts() []eniassign.ENI {
	out := slices.Clone(l.inventory.known.ENIs)
	for i, e := range out {
		if s := l.enis[e.ID]; s != nil {
			out[i] = s.facts
		}
	}
	return out
}

func (s *eniState) isGone() bool { return s != nil && s.gone }

// hostNetwork is a reason when the namespace is the worker's own: it has the
// primary ENI's own primary address.
func (l *Ledger) hostNetwork() *eniassign.Reason {
	for _, e := range l.inventory.known.ENIs {
		if e.DeviceIndex != 0 || !e.Primary.IsValid() {
			continue
		}
		for _, i := range l.links {
			for _, p := range i.Prefixes {
				if p.Addr() == e.Primary {
					r := reason(HostNetwork, eniassign.Permanent, fmt.Sprintf(
						"This is the worker's own network: %s has %s, the primary address of %s.", i.Name, e.Primary, e.ID))
					r.Cure = "Run the registrar in a pod with Multus interfaces and without hostNetwork."
					return r
				}
			}
		}
	}
	return nil
}

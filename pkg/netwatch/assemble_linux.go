// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"cmp"
	"net/netip"
	"slices"
)

// A leftOut is an address that would count but for its duplicate address
// detection.
type leftOut struct {
	Interface string
	Prefix    netip.Prefix
	Reason    string
}

// A listing is the namespace as two dumps found it.
type listing struct {
	interfaces []Interface
	leftOut    []leftOut
}

// assemble joins links to their usable addresses. It keeps links, which it
// sorts. An address whose link is not there was overtaken by the link's
// removal, whose notification leads to the next listing.
func assemble(links []Interface, addresses []foundAddress) listing {
	slices.SortFunc(links, func(a, b Interface) int { return cmp.Compare(a.Index, b.Index) })
	found := listing{interfaces: links}
	for _, address := range addresses {
		at, there := slices.BinarySearchFunc(links, address.index, func(link Interface, index int) int {
			return cmp.Compare(link.Index, index)
		})
		if !there || !address.prefix.IsValid() {
			continue
		}
		link := &links[at]
		switch ok, reason := usable(address.prefix.Addr(), address.flags); {
		case ok:
			link.Prefixes = append(link.Prefixes, address.prefix)
		case reason != reasonScope:
			found.leftOut = append(found.leftOut, leftOut{link.Name, address.prefix, reason})
			if reason == reasonTentative {
				link.Tentative = append(link.Tentative, address.prefix)
			}
		}
	}
	for i := range links {
		for _, list := range []*[]netip.Prefix{&links[i].Prefixes, &links[i].Tentative} {
			slices.SortFunc(*list, comparePrefixes)
			// One local address may be there for several peers.
			*list = slices.Compact(*list)
		}
	}
	return found
}

func comparePrefixes(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}

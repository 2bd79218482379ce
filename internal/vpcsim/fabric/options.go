// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"cmp"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/vswitch"
)

// VPC is what the fabric asks of the model for each packet.
type VPC = vswitch.VPC

// DefaultPrefix is what the names of namespaces begin with.
const DefaultPrefix = "vpcsim"

// DefaultMTU is smaller than an ENI's 9001, and what a pod sees on most links.
const DefaultMTU = 1500

// Options of New. The zero value is a good one.
type Options struct {
	// Prefix is what the names of the namespaces begin with; runs side by side
	// need different ones. Default DefaultPrefix.
	Prefix string
	// RequireIPvlan makes New fail on a kernel without ipvlan.
	RequireIPvlan bool
	// NoIPvlan does without ipvlan even where the kernel has it.
	NoIPvlan bool
	// MTU of ENIs and pods, at most 9001. Default DefaultMTU.
	MTU int
	// DAD leaves duplicate address detection of IPv6 on: addresses are
	// tentative for about a second.
	DAD bool
	// AnswerDAD makes the VPC answer it for what another ENI owns.
	AnswerDAD bool
}

func (o Options) withDefaults() Options {
	o.Prefix = cmp.Or(o.Prefix, DefaultPrefix)
	o.MTU = cmp.Or(o.MTU, DefaultMTU)
	return o
}

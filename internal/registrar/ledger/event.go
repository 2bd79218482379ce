// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// A Kind is a decision worth a line in the log; the text is that line.
type Kind string

// The decisions.
const (
	Appeared       Kind = "address appeared"
	Vanished       Kind = "address gone"
	Asked          Kind = "asking EC2"
	Acked          Kind = "address assigned"
	AlreadyThere   Kind = "address already on its ENI"
	Taken          Kind = "address claimed again after its hold-down"
	WasLost        Kind = "address missing from its ENI"
	WasContested   Kind = "address held by another ENI"
	WasRefused     Kind = "address refused"
	WasHandedOver  Kind = "address left to another pod on the same ENI"
	CannotRoute    Kind = "a failover to this pod would be refused"
	WasReleased    Kind = "address released"
	NotReleased    Kind = "address not released"
	Misplaced      Kind = "address has no ENI"
	CannotDescribe Kind = "not allowed to describe ENIs"
	ENIVanished    Kind = "ENI does not exist any more"
	InventoryTaken Kind = "ENIs found"
	NoInventory    Kind = "ENIs not found"
)

// An Event is one decision.
type Event struct {
	Kind      Kind
	Target    Target
	Interface string
	Reason    *eniassign.Reason
	// Noticed is when the kernel's notification behind an Asked or Acked was
	// read; zero where the call answers none (retries, restarts, holds; the
	// start, too, for Asked).
	Noticed time.Time
	// Failover says that the address came after the pod was once routed.
	Failover bool
}

// Events hands over what was decided since the last call.
func (l *Ledger) Events() []Event {
	out := l.events
	l.events = nil
	return out
}

func (l *Ledger) tell(k Kind, c *claim) {
	l.events = append(l.events, Event{Kind: k, Target: c.Target, Interface: c.iface, Reason: c.reason, Failover: c.late})
}

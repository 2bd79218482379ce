// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// A RefusedError says that the ENI below an address is not ours to change.
type RefusedError struct {
	MAC  string
	Addr netip.Addr
	ENI  ENI
	// Code is ENIRefusedPrimary or ENIRefusedManaged.
	Code Code
}

func (e *RefusedError) Error() string { return e.Reason().String() }

// Reason says why, and what cures it.
func (e *RefusedError) Reason() *Reason {
	r := &Reason{Code: e.Code, Class: Permanent}
	if e.Code == ENIRefusedPrimary {
		r.Text = fmt.Sprintf("%s belongs to %s, which is the worker's primary ENI (device index 0); Kubernetes and the VPC CNI manage it.", e.Addr, e.ENI.ID)
		r.Cure = "Let the NetworkAttachmentDefinition use an ENI of its own as master, or allow the primary ENI if you know that nothing else changes it."
		return r
	}
	r.Text = fmt.Sprintf("%s belongs to %s, which lacks the tag %s=true, so the VPC CNI may manage it.", e.Addr, e.ENI.ID, NoManageTag)
	r.Cure = fmt.Sprintf("Tag the ENI %s=true before it is attached, or allow managed ENIs if the VPC CNI does not run here.", NoManageTag)
	return r
}

// An AmbiguousError says that two ENIs could lie below an address.
type AmbiguousError struct {
	MAC           string
	Addr          netip.Addr
	First, Second ENI
}

func (e *AmbiguousError) Error() string { return e.Reason().String() }

// Reason says why, and what cures it.
func (e *AmbiguousError) Reason() *Reason {
	return &Reason{
		Code: AmbiguousENI, Class: Permanent,
		Text: fmt.Sprintf("%s%s could belong to %s or to %s.", e.Addr, onInterface(e.MAC), describeENI(e.First), describeENI(e.Second)),
		Cure: "Use ipvlan, whose interfaces have the MAC address of their ENI, or put the two ENIs into different subnets.",
	}
}

// A NoENIError says that no ENI of this worker lies below an address.
type NoENIError struct {
	MAC  string
	Addr netip.Addr
	// ENIs are those that were looked at.
	ENIs []ENI
	// Own says that the MAC can only be an ENI's own, as ipvlan's is: then its
	// subnet says nothing.
	Own bool
}

func (e *NoENIError) Error() string { return e.Reason().String() }

// Reason says why, and what cures it.
func (e *NoENIError) Reason() *Reason {
	known := "no ENI of this worker is known"
	if len(e.ENIs) > 0 {
		var names []string
		for _, eni := range e.ENIs {
			names = append(names, describeENI(eni))
		}
		known = "this worker has " + strings.Join(names, ", ")
	}
	why := &Reason{
		Code: NoENI, Class: Permanent,
		Text: fmt.Sprintf("No ENI lies below %s%s: %s.", e.Addr, onInterface(e.MAC), known),
		Cure: "Attach an ENI of the address's subnet to the worker, or correct master and range of the NetworkAttachmentDefinition.",
	}
	if e.Own {
		why.Cure = "Nothing, where the ENI was attached just now. Else correct the master of the NetworkAttachmentDefinition: it must be an ENI's own interface."
		return why
	}
	if len(e.ENIs) > 0 && !slices.ContainsFunc(e.ENIs, func(e ENI) bool { return len(e.CIDRs) > 0 }) {
		why.Cure = "Use ipvlan, whose interfaces have the MAC address of their ENI, or let the pod reach IMDS, without which the subnets of ENIs are not known."
	}
	return why
}

func onInterface(mac string) string {
	if mac == "" {
		return ""
	}
	return " on the interface with MAC address " + mac
}

// describeENI names an ENI by what an engineer can look for.
func describeENI(e ENI) string {
	parts := []string{e.MAC}
	for _, p := range e.CIDRs {
		parts = append(parts, p.String())
	}
	return fmt.Sprintf("%s (%s)", e.ID, strings.Join(parts, " "))
}

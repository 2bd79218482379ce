// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"errors"
	"strings"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// Reasons that arise here, beside those that eniassign gives.
const (
	// Restored: known from the state file, not compared with the kernel yet.
	Restored eniassign.Code = "Restored"
	// InventoryUnknown: neither IMDS nor EC2 has told yet which ENIs there are.
	InventoryUnknown eniassign.Code = "InventoryUnknown"
	// NotDescribed: waiting for the one Describe at start.
	NotDescribed eniassign.Code = "NotDescribed"
	// AddressLost: acknowledged, then found missing from its ENI.
	AddressLost eniassign.Code = "AddressLost"
	// AddressTwice: two interfaces on two ENIs have the same address.
	AddressTwice eniassign.Code = "AddressTwice"
	// HostNetwork: the namespace is the worker's own.
	HostNetwork eniassign.Code = "HostNetwork"
	// HandedOver: another pod on the same ENI has the address now.
	HandedOver eniassign.Code = "HandedOver"
	// ReleaseUnsure: it is not known whether EC2 did what was asked.
	ReleaseUnsure eniassign.Code = "ReleaseUnsure"
	// KeptOnRequest: gone from the pod and left on the ENI as configured.
	KeptOnRequest eniassign.Code = "KeptOnRequest"
)

// Codes lists the codes of this package, for the checks of documentation.
func Codes() []eniassign.Code {
	return []eniassign.Code{Restored, InventoryUnknown, NotDescribed, AddressLost, AddressTwice, HostNetwork, HandedOver, ReleaseUnsure, KeptOnRequest}
}

func reason(code eniassign.Code, class eniassign.Class, text string) *eniassign.Reason {
	return &eniassign.Reason{Code: code, Class: class, Text: text}
}

// ReasonOf is the reason in an error of eniassign. Where several are joined the
// first decides what is done, and the texts of all are told.
func ReasonOf(err error) *eniassign.Reason {
	if err == nil {
		return nil
	}
	var all []*eniassign.Reason
	collect(err, &all)
	if len(all) == 0 {
		return reason(eniassign.UnknownError, eniassign.Transient, err.Error()+".")
	}
	first := *all[0]
	texts := make([]string, len(all))
	for i, r := range all {
		texts[i] = r.Text
		if i > 0 {
			texts[i] = r.String()
		}
	}
	first.Text = strings.Join(texts, " ")
	return &first
}

func collect(err error, into *[]*eniassign.Reason) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range several.Unwrap() {
			collect(e, into)
		}
		return
	}
	var r interface{ Reason() *eniassign.Reason }
	if errors.As(err, &r) {
		*into = append(*into, r.Reason())
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package control

import (
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
)

// A Document is the answer to "how do you stand?". Its JSON form is what
// `registrar status -o json` prints; fields are added, never changed.
type Document struct {
	Version string    `json:"version"`
	Mode    string    `json:"mode"`
	Started time.Time `json:"started"`
	// Ready says that every wanted address is routed; Waiting says what is
	// missing until then.
	Ready   bool     `json:"ready"`
	Waiting []string `json:"waiting,omitempty"`
	// Warnings say what would stop a failover to this pod, although nothing is
	// missing now.
	Warnings []string `json:"warnings,omitempty"`
	// StateFile says why the state file is not kept, "" when it is.
	StateFile string       `json:"stateFileError,omitempty"`
	Addresses []ledger.Row `json:"addresses"`
}

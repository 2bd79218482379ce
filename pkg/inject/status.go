// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"encoding/json"
	"fmt"
)

// A Status is the value of KeyStatus: what was injected and why.
type Status struct {
	// Mode is how the registrar runs.
	Mode Mode `json:"mode"`
	// Native says that it is a native sidecar.
	Native bool `json:"native,omitempty"`
	// By is who asked: the pod, a network or the namespace.
	By string `json:"by"`
	// Image is the registrar's.
	Image string `json:"image"`
	// Networks are the pod's networks with their interfaces, "ns/name@if".
	Networks []string `json:"networks"`
}

// status is the annotation that the patch writes.
func (d Decision) status(def Defaults) (string, error) {
	s := Status{Mode: d.Mode, Native: d.Native, By: d.Source, Image: def.Image, Networks: make([]string, len(d.Selections))}
	for i, n := range d.Selections {
		s.Networks[i] = n.String() + "@" + n.Interface
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("write the status annotation: %w", err)
	}
	return string(raw), nil
}

// readStatus reads a status, also an older or a newer one. What it cannot read
// is the zero value: then nothing is known of how the pod was injected.
func readStatus(text string) Status {
	var s Status
	if json.Unmarshal([]byte(text), &s) != nil {
		return Status{}
	}
	return s
}

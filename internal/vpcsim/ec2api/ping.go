// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"io"
	"net/http"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// pingPath is what latency meters ask EC2's endpoints for.
const pingPath = "/ping"

// ping answers a request that asks for nothing. It is no call and not in the
// log of calls.
func ping(w http.ResponseWriter, v *model.VPC) {
	if v.Topology().Assumptions.PingCloses {
		w.Header().Set("Connection", "close")
		writeError(w, requestID(), model.Refuse("MissingAction", "The request must contain the parameter Action"))
		return
	}
	_, _ = io.WriteString(w, "healthy") // a caller who is gone needs no answer
}

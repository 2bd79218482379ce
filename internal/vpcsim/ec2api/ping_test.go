// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"net/http"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// TestAPingIsNoCall, whichever of its outcomes the topology has.
func TestAPingIsNoCall(t *testing.T) {
	for _, closes := range []bool{false, true} {
		topo, err := topology.Parse("world.yaml", []byte(world))
		if err != nil {
			t.Fatal(err)
		}
		topo.Assumptions.PingCloses = closes
		v, err := model.New(topo)
		if err != nil {
			t.Fatal(err)
		}
		url := serve(t, v)
		tr := &http.Transport{}
		defer tr.CloseIdleConnections()
		for _, path := range []string{"/ping", "/"} {
			resp, err := (&http.Client{Transport: tr}).Get(url + path)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.Close != closes || (resp.StatusCode == http.StatusOK) == closes {
				t.Errorf("closes %v: %s answered %s, and Close is %v", closes, path, resp.Status, resp.Close)
			}
		}
		if calls := v.Calls(); len(calls) > 0 {
			t.Errorf("the log has %v", calls)
		}
	}
}

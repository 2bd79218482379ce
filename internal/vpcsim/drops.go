// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vpcsim

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/ec2api"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/vswitch"
)

// DropsPath answers with a list of Traffic as JSON, beside ec2api.AdminPath's.
const DropsPath = ec2api.AdminPath + "drops"

// Traffic is what happened to the packets of one ENI.
type Traffic struct {
	ENI       string `json:"eni"`
	Worker    string `json:"worker"`
	Sent      uint64 `json:"sent"`
	Delivered uint64 `json:"delivered"`
	Drops     []Drop `json:"drops"`
}

// A Drop is packets that an ENI sent and that went nowhere.
type Drop struct {
	Reason vswitch.Reason `json:"reason"`
	Src    netip.Addr     `json:"src,omitzero"`
	Dst    netip.Addr     `json:"dst,omitzero"`
	Count  uint64         `json:"count"`
	Last   time.Time      `json:"last"`
}

// Traffic returns the counters of all ENIs, in the topology's order.
func (s *Sim) Traffic() []Traffic {
	all := []Traffic{}
	if s.Fabric == nil {
		return all
	}
	for _, w := range s.VPC.Topology().Workers {
		for _, e := range w.ENIs {
			c := s.Fabric.Counters(e.Name)
			t := Traffic{ENI: e.Name, Worker: w.Name, Sent: c.Sent, Delivered: c.Delivered, Drops: []Drop{}}
			for _, d := range c.Drops {
				t.Drops = append(t.Drops, Drop(d))
			}
			all = append(all, t)
		}
	}
	return all
}

// api is the EC2 API with what the fabric adds to its admin part.
func (s *Sim) api() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", ec2api.New(s.VPC))
	mux.HandleFunc("GET "+DropsPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"drops": s.Traffic()}) // a caller who is gone needs no answer
	})
	return mux
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package imdsapi

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"go.uber.org/goleak"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

const world = `
region: eu-central-1
vpc: {cidrs: [10.0.0.0/16, 10.1.0.0/16, "2600:1f14:1:200::/56"]}
subnets:
- {name: node, zone: eu-central-1b, cidr: 10.0.0.0/24}
- {name: sig, zone: eu-central-1b, cidr: 10.0.1.0/24, ipv6: "2600:1f14:1:201::/64"}
workers:
- name: worker1
  type: m5.large
  role: nodes
  hop-limit: 1
  enis:
  - {name: sig1, index: 1, subnet: sig, ip: 10.0.1.11, mac: "02:00:00:00:00:01", secondary: [10.0.1.50, 10.0.1.51],
     ipv6: ["2600:1f14:1:201::11"], prefixes: [10.0.1.32/28, "2600:1f14:1:201:1::/80"]}
  - {name: node1, index: 0, subnet: node, ip: 10.0.0.11, mac: "02:00:00:00:00:00"}
`

func newWorld(t testing.TB) *model.VPC {
	t.Helper()
	topo, err := topology.Parse("world.yaml", []byte(world))
	if err != nil {
		t.Fatal(err)
	}
	v, err := model.New(topo)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// send makes a request without a network; headers are pairs.
func send(h http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://169.254.169.254/", nil)
	r.URL.Path = path
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func token(h http.Handler) string {
	return send(h, "PUT", pathToken, headerTTL, "21600").Body.String()
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

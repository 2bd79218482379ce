// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

func TestAdmin(t *testing.T) {
	v := newWorld(t)
	h := New(v)
	do := func(method, path, body string, status int) string {
		t.Helper()
		got, text := send(h, method, AdminPath+path, body)
		if got != status {
			t.Errorf("%s %s gave %d, want %d: %s", method, path, got, status, text)
		}
		return text
	}
	assign := "Action=AssignPrivateIpAddresses&Version=2016-11-15&PrivateIpAddress.1=10.0.1.60&NetworkInterfaceId=" + *id("a1")

	var made struct{ ID int }
	text := do("POST", "faults", `{"action": "Assign*", "eni": "a1", "code": "InternalError", "for": "1m", "count": 1}`, 201)
	if err := json.Unmarshal([]byte(text), &made); err != nil || made.ID == 0 {
		t.Errorf("got %s", text)
	}
	if text := do("GET", "faults", "", 200); !strings.Contains(text, `"for": "1m0s"`) || !strings.Contains(text, `"eni": "a1"`) {
		t.Errorf("got %s", text)
	}
	if status, _ := send(h, "POST", "/", assign); status != 500 {
		t.Errorf("the fault did not strike: %d", status)
	}
	if status, _ := send(h, "POST", "/", assign); status != 200 {
		t.Errorf("the fault struck twice: %d", status)
	}
	text = do("GET", "calls?action=Assign*", "", 200)
	var log struct {
		Calls []struct {
			Action, Code, ENI, Duration string
			Addresses                   []string
			Params                      map[string]string
		}
	}
	if err := json.Unmarshal([]byte(text), &log); err != nil || len(log.Calls) != 2 || log.Calls[0].Code != "InternalError" || log.Calls[1].Addresses[0] != "10.0.1.60" || log.Calls[1].Params["PrivateIpAddress.1"] != "10.0.1.60" {
		t.Errorf("got %v, %s", err, text)
	}
	do("DELETE", "calls", "", 204)
	if text := do("GET", "calls", "", 200); !strings.Contains(text, `"calls": []`) {
		t.Errorf("got %s", text)
	}
	if text := do("GET", "enis/a1", "", 200); !strings.Contains(text, `"10.0.1.60"`) {
		t.Errorf("got %s", text)
	}
	do("GET", "enis", "", 200)
	do("GET", "enis/nobody", "", 404)
	do("DELETE", "faults/77", "", 404)
	do("POST", "faults", `{"action": "Assign*"}`, 400)
	do("POST", "faults", `{"colour": "red"}`, 400)
	do("POST", "faults", `{"code": "X"}`, 201)
	do("DELETE", "faults", "", 204)
	if text := do("GET", "faults", "", 200); !strings.Contains(text, `"faults": []`) {
		t.Errorf("got %s", text)
	}
	if text := do("PATCH", "imds/worker1", `{"staleness": "30s", "down": true}`, 200); !strings.Contains(text, `"staleness": "30s"`) || !strings.Contains(text, `"hopLimit": 2`) {
		t.Errorf("got %s", text)
	}
	if !v.IMDS("worker1").Down || v.IMDS("worker2").Down {
		t.Error("the change did not reach that worker alone")
	}
	do("GET", "imds/nobody", "", 404)
	do("GET", "nothing", "", 404)
	if _, err := topology.Parse("served.yaml", []byte(do("GET", "topology", "", 200))); err != nil {
		t.Errorf("the topology that is served cannot be read: %v", err)
	}
}

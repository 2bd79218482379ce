// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package imdsapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

func TestToken(t *testing.T) {
	s := New(newWorld(t), "worker1")
	for _, tt := range []struct {
		name, method string
		headers      []string
		want         int
	}{
		{"shortest", "PUT", []string{headerTTL, "1"}, 200},
		{"longest", "PUT", []string{headerTTL, "21600"}, 200},
		{"no TTL", "PUT", nil, 400},
		{"TTL of zero", "PUT", []string{headerTTL, "0"}, 400},
		{"TTL too long", "PUT", []string{headerTTL, "21601"}, 400},
		{"TTL of words", "PUT", []string{headerTTL, "long"}, 400},
		{"through a proxy", "PUT", []string{headerTTL, "60", "X-Forwarded-For", "10.0.0.1"}, 403},
		{"GET", "GET", nil, 405},
	} {
		w := send(s, tt.method, pathToken, tt.headers...)
		if w.Code != tt.want {
			t.Errorf("%s: status %d, want %d", tt.name, w.Code, tt.want)
		}
		if w.Code == 200 && (w.Body.Len() < 40 || w.Header().Get(headerTTL) != tt.headers[1]) {
			t.Errorf("%s: token %q with TTL %q", tt.name, w.Body, w.Header().Get(headerTTL))
		}
	}
}

func TestTokenIsNeededAndExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(newWorld(t), "worker1")
		const path = pathMetaData + "/instance-id"
		if w := send(s, "GET", path); w.Code != 401 {
			t.Errorf("without a token: %d, want 401", w.Code)
		}
		if w := send(s, "GET", path, headerToken, "guessed"); w.Code != 401 {
			t.Errorf("with a guessed token: %d, want 401", w.Code)
		}
		tok := send(s, "PUT", pathToken, headerTTL, "60").Body.String()
		time.Sleep(59 * time.Second)
		if w := send(s, "GET", path, headerToken, tok); w.Code != 200 || w.Header().Get(headerTTL) != "1" {
			t.Errorf("after 59 s: %d with %q s left", w.Code, w.Header().Get(headerTTL))
		}
		time.Sleep(time.Second)
		if w := send(s, "GET", path, headerToken, tok); w.Code != 401 {
			t.Errorf("after 60 s: %d, want 401", w.Code)
		}
	})
}

func TestPaths(t *testing.T) {
	s := New(newWorld(t), "worker1")
	tok := token(s)
	const eni = "/network/interfaces/macs/02:00:00:00:00:01/"
	const primary = "/network/interfaces/macs/02:00:00:00:00:00/"
	tests := map[string]string{
		"/instance-id":                      topology.DeriveID("i", "worker1"),
		"/instance-type":                    "m5.large",
		"/placement/region":                 "eu-central-1",
		"/placement/availability-zone":      "eu-central-1b",
		"/placement/":                       "availability-zone\nregion",
		"/local-ipv4":                       "10.0.0.11",
		"/mac":                              "02:00:00:00:00:00",
		"/network/interfaces/macs/":         "02:00:00:00:00:00/\n02:00:00:00:00:01/",
		"/network/interfaces/macs":          "02:00:00:00:00:00/\n02:00:00:00:00:01/",
		"/network/":                         "interfaces/",
		eni + "mac":                         "02:00:00:00:00:01",
		eni + "interface-id":                topology.DeriveID("eni", "sig1"),
		eni + "device-number":               "1",
		eni + "subnet-id":                   topology.DeriveID("subnet", "sig"),
		eni + "vpc-id":                      topology.DeriveID("vpc", "vpc"),
		eni + "subnet-ipv4-cidr-block":      "10.0.1.0/24",
		eni + "subnet-ipv6-cidr-blocks":     "2600:1f14:1:201::/64",
		eni + "vpc-ipv4-cidr-blocks":        "10.0.0.0/16\n10.1.0.0/16",
		eni + "vpc-ipv4-cidr-block":         "10.0.0.0/16",
		eni + "local-ipv4s":                 "10.0.1.11\n10.0.1.50\n10.0.1.51",
		eni + "ipv6s":                       "2600:1f14:1:201::11",
		eni + "ipv4-prefix":                 "10.0.1.32/28",
		eni + "ipv6-prefix":                 "2600:1f14:1:201:1::/80",
		primary + "device-number":           "0",
		primary + "subnet-ipv6-cidr-blocks": "404",
		primary + "ipv6s":                   "404",
		primary + "ipv4-prefix":             "404",
		primary + "ipv6-prefix":             "404",
		"/network/interfaces/macs/02:00:00:00:00:99/interface-id": "404",
		"/tags/instance/Name":              "404",
		"/iam/security-credentials/":       "nodes",
		"/iam/security-credentials/others": "404",
		"/nothing":                         "404",
		"x":                                "404",
	}
	for path, want := range tests {
		w := send(s, "GET", pathMetaData+path, headerToken, tok)
		got := w.Body.String()
		if w.Code == 404 {
			got = "404"
		}
		if got != want {
			t.Errorf("%s is %d %q, want %q", path, w.Code, got, want)
		}
	}
	list := send(s, "GET", pathMetaData+eni, headerToken, tok).Body.String()
	for _, leaf := range []string{"interface-id", "local-ipv4s", "subnet-id"} {
		if !strings.Contains("\n"+list+"\n", "\n"+leaf+"\n") {
			t.Errorf("the listing of an ENI lacks %s:\n%s", leaf, list)
		}
	}
	var doc map[string]string
	if err := json.Unmarshal(send(s, "GET", pathDocument, headerToken, tok).Body.Bytes(), &doc); err != nil || doc["region"] != "eu-central-1" || doc["privateIp"] != "10.0.0.11" {
		t.Errorf("the document is %v, %v", doc, err)
	}
	if w := send(s, "POST", pathMetaData+"/mac", headerToken, tok); w.Code != 405 {
		t.Errorf("POST gave %d", w.Code)
	}
}

func TestStaleLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newWorld(t)
		v.TuneIMDS("worker1", func(s *model.IMDSState) { s.Staleness = time.Minute })
		s := New(v, "worker1")
		tok := token(s)
		time.Sleep(time.Hour)
		eni, _ := v.ENI("sig1")
		err := v.UnassignPrivateIPAddresses(t.Context(), model.UnassignPrivateIPAddressesInput{NetworkInterfaceID: eni.ID, Addresses: eni.Secondary})
		if err != nil {
			t.Fatal(err)
		}
		list := func() string {
			return send(s, "GET", pathMetaData+"/network/interfaces/macs/02:00:00:00:00:01/local-ipv4s", headerToken, tok).Body.String()
		}
		time.Sleep(59 * time.Second)
		if got := list(); got != "10.0.1.11\n10.0.1.50\n10.0.1.51" {
			t.Errorf("before its time: %q", got)
		}
		time.Sleep(time.Second)
		if got := list(); got != "10.0.1.11" {
			t.Errorf("after the staleness: %q", got)
		}
	})
}

func TestDownAndBlocked(t *testing.T) {
	v := newWorld(t)
	s := New(v, "worker1")
	aborts := func(r *http.Request) (aborted bool) {
		defer func() { aborted = recover() == http.ErrAbortHandler }()
		s.ServeHTTP(nil, r)
		return false
	}
	v.TuneIMDS("worker1", func(s *model.IMDSState) { s.Down = true })
	r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://169.254.169.254/", nil)
	if !aborts(r) {
		t.Error("down, but answered")
	}
	synctest.Test(t, func(t *testing.T) {
		v.TuneIMDS("worker1", func(s *model.IMDSState) { s.Down, s.Blocked = false, true })
		ended := false
		ctx := t.Context()
		r, _ := http.NewRequestWithContext(ctx, "GET", "http://169.254.169.254/", nil)
		go func() { ended = aborts(r) }()
		time.Sleep(time.Hour)
		if ended {
			t.Error("blocked, but answered")
		}
	})
	if got := s.HopLimit(); got != 1 {
		t.Errorf("the hop limit is %d, want 1", got)
	}
}

func FuzzPath(f *testing.F) {
	for _, p := range []string{"/latest/meta-data/", "/latest/meta-data/network/interfaces/macs/02:00:00:00:00:01/local-ipv4s", pathDocument, pathToken, "", "//", "/latest/meta-data/../user-data"} {
		f.Add(p, "")
	}
	f.Add(pathToken, "21600")
	s := New(newWorld(f), "worker1")
	tok := token(s)
	f.Fuzz(func(t *testing.T, path, ttl string) {
		w := send(s, "GET", path, headerToken, tok, headerTTL, ttl)
		switch w.Code {
		case 200, 404, 405:
		default:
			t.Fatalf("GET %q gave %d", path, w.Code)
		}
		if w := send(s, "PUT", path, headerTTL, ttl); w.Code == 200 && path != pathToken {
			t.Fatalf("PUT %q was accepted", path)
		}
	})
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/ec2api"
)

// A call is one to EC2. Refused ones have a code.
type call struct {
	Time      time.Time
	Action    string
	Worker    string
	ENI       string
	Addresses []string
	Code      string
	Done      bool
}

// calls are those of the story, oldest first; actions such as "Assign*" choose.
func calls(t *testing.T, actions ...string) []call {
	t.Helper()
	var log struct{ Calls []call }
	control(t, http.MethodGet, ec2api.AdminPath+"calls?"+url.Values{"action": actions}.Encode(), nil, &log)
	return log.Calls
}

// callsFor are those about an address.
func callsFor(t *testing.T, address string, actions ...string) []call {
	t.Helper()
	return slices.DeleteFunc(calls(t, actions...), func(c call) bool { return !slices.Contains(c.Addresses, address) })
}

func forgetCalls(t *testing.T) {
	t.Helper()
	control(t, http.MethodDelete, ec2api.AdminPath+"calls", nil, nil)
}

// An eni is as EC2 has it.
type eni struct {
	Name, ID, Worker string
	Secondary, IPv6  []string
}

func enis(t *testing.T) []eni {
	t.Helper()
	var all struct{ ENIs []eni }
	control(t, http.MethodGet, ec2api.AdminPath+"enis", nil, &all)
	return all.ENIs
}

// owner is the name of the ENI that has an address, "" for none.
func owner(t *testing.T, address string) string {
	t.Helper()
	for _, e := range enis(t) {
		if slices.Contains(e.Secondary, address) || slices.Contains(e.IPv6, address) {
			return e.Name
		}
	}
	return ""
}

// owned waits until EC2 has an address on an ENI, "" for none.
func (s *story) owned(address, eni string) {
	s.Helper()
	until(s.T, podPatience, func() error {
		if got := owner(s.T, address); got != eni {
			return fmt.Errorf("EC2 has %s on ENI %q, want %q", address, got, eni)
		}
		return nil
	})
}

// takeBack unassigns what pods have left on the ENIs of workers, of all where
// none is named, as an operator: mode init never does.
func takeBack(t *testing.T, of ...worker) {
	t.Helper()
	for _, e := range enis(t) {
		if len(of) > 0 && !slices.Contains(of, worker(e.Worker)) {
			continue
		}
		for action, list := range map[string]struct {
			parameter string
			addresses []string
		}{
			"UnassignPrivateIpAddresses": {"PrivateIpAddress", e.Secondary},
			"UnassignIpv6Addresses":      {"Ipv6Addresses", e.IPv6},
		} {
			if len(list.addresses) == 0 {
				continue
			}
			form := url.Values{"Action": {action}, "Version": {"2016-11-15"}, "NetworkInterfaceId": {e.ID}}
			for i, a := range list.addresses {
				form.Set(fmt.Sprintf("%s.%d", list.parameter, i+1), a)
			}
			answer, err := controlClient().PostForm("http://cluster/ec2/", form)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != http.StatusOK {
				t.Errorf("%s of %s: %s: %s, %v", action, e.Name, answer.Status, text, err)
			}
			_ = answer.Body.Close() // it is read
		}
	}
}

// A fault is what befalls calls to EC2; see package ec2api.
type fault struct {
	Action  string `json:"action,omitempty"`
	Worker  string `json:"worker,omitempty"`
	Address string `json:"address,omitempty"`
	Code    string `json:"code,omitempty"`
	Drop    string `json:"drop,omitempty"`
	Delay   string `json:"delay,omitempty"`
	Count   int    `json:"count,omitempty"`
}

// inject lets a fault befall the calls from now on, until mend or the end of
// the test.
func (s *story) inject(f fault) (mend func()) {
	s.Helper()
	var made struct{ ID int }
	control(s.T, http.MethodPost, ec2api.AdminPath+"faults", f, &made)
	ended := false
	mend = func() {
		if !ended {
			ended = true
			control(s.T, http.MethodDelete, fmt.Sprintf("%sfaults/%d", ec2api.AdminPath, made.ID), nil, nil)
		}
	}
	s.Cleanup(mend)
	return mend
}

// describeEC2 tells people what EC2 knows, was asked, and dropped, since then.
func describeEC2(t *testing.T, since time.Time) string {
	t.Helper()
	const clock = "15:04:05.000"
	var b strings.Builder
	for _, e := range enis(t) {
		fmt.Fprintf(&b, "  ENI %s %s: %v %v\n", e.Name, e.ID, e.Secondary, e.IPv6)
	}
	for _, c := range calls(t) {
		if c.Time.Before(since) {
			continue
		}
		fmt.Fprintf(&b, "  %s %s of %s: %s %v %s\n", c.Time.Format(clock), c.Action, c.Worker, c.ENI, c.Addresses, c.Code)
	}
	var traffic struct{ Drops []vpcsim.Traffic }
	control(t, http.MethodGet, vpcsim.DropsPath, nil, &traffic)
	for _, eni := range traffic.Drops {
		for _, d := range eni.Drops {
			if d.Last.After(since) {
				fmt.Fprintf(&b, "  %s dropped from ENI %s, packet %d from %v to %v: %s\n", d.Last.Format(clock), eni.ENI, d.Count, d.Src, d.Dst, d.Reason)
			}
		}
	}
	return b.String()
}

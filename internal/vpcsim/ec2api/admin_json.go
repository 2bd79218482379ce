// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"net/netip"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// A duration is written as Go does: "1.5s".
type duration time.Duration

func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *duration) UnmarshalText(text []byte) error {
	got, err := time.ParseDuration(string(text))
	*d = duration(got)
	return err
}

type callJSON struct {
	Time       time.Time         `json:"time"`
	Action     string            `json:"action"`
	AccessKey  string            `json:"accessKey,omitempty"`
	Worker     string            `json:"worker,omitempty"`
	ENI        string            `json:"eni,omitempty"`
	RouteTable string            `json:"routeTable,omitempty"`
	Addresses  []string          `json:"addresses,omitempty"`
	Params     map[string]string `json:"params,omitempty"`
	Done       bool              `json:"done"`
	Code       string            `json:"code,omitempty"`
	Message    string            `json:"message,omitempty"`
	Effective  bool              `json:"effective"`
	Duration   duration          `json:"duration"`
}

func callsJSON(calls []model.Call) []callJSON {
	out := make([]callJSON, len(calls))
	for i, c := range calls {
		out[i] = callJSON{c.Time, c.Action, c.AccessKey, c.Worker, c.ENI, c.RouteTable, c.Addresses, c.Params, c.Done, c.Code, c.Message, c.Effective, duration(c.Duration)}
	}
	return out
}

type faultJSON struct {
	ID         int        `json:"id,omitempty"`
	Hits       int        `json:"hits,omitempty"`
	Action     string     `json:"action,omitempty"`
	ENI        string     `json:"eni,omitempty"`
	RouteTable string     `json:"routeTable,omitempty"`
	Address    netip.Addr `json:"address,omitzero"`
	AccessKey  string     `json:"accessKey,omitempty"`
	Worker     string     `json:"worker,omitempty"`
	Code       string     `json:"code,omitempty"`
	Message    string     `json:"message,omitempty"`
	HTTPStatus int        `json:"httpStatus,omitempty"`
	Drop       model.Drop `json:"drop,omitempty"`
	Delay      duration   `json:"delay,omitzero"`
	Count      int        `json:"count,omitempty"`
	For        duration   `json:"for,omitzero"`
	Spare      int        `json:"spare,omitempty"`
}

func (f faultJSON) model() model.Fault {
	return model.Fault{
		Action: f.Action, ENI: f.ENI, RouteTable: f.RouteTable, Address: f.Address, AccessKey: f.AccessKey, Worker: f.Worker,
		Code: f.Code, Message: f.Message, HTTPStatus: f.HTTPStatus, Drop: f.Drop, Delay: time.Duration(f.Delay),
		Count: f.Count, For: time.Duration(f.For), Spare: f.Spare,
	}
}

func faultsJSON(faults []model.ActiveFault) []faultJSON {
	out := make([]faultJSON, len(faults))
	for i, f := range faults {
		out[i] = faultJSON{
			f.ID, f.Hits, f.Action, f.ENI, f.RouteTable, f.Address, f.AccessKey, f.Worker,
			f.Code, f.Message, f.HTTPStatus, f.Drop, duration(f.Delay), f.Count, duration(f.For), f.Spare,
		}
	}
	return out
}

type eniJSON struct {
	Name            string            `json:"name"`
	ID              string            `json:"id"`
	MAC             string            `json:"mac"`
	Worker          string            `json:"worker"`
	InstanceID      string            `json:"instanceId"`
	DeviceIndex     int               `json:"deviceIndex"`
	SubnetID        string            `json:"subnetId"`
	Primary         netip.Addr        `json:"primary"`
	Secondary       []netip.Addr      `json:"secondary"`
	IPv6            []netip.Addr      `json:"ipv6"`
	Prefixes        []netip.Prefix    `json:"prefixes"`
	Tags            map[string]string `json:"tags"`
	SourceDestCheck bool              `json:"sourceDestCheck"`
}

func newENIJSON(e model.ENI) eniJSON {
	return eniJSON{
		e.Name, e.ID, e.MAC, e.Worker, e.InstanceID, e.DeviceIndex, e.SubnetID, e.Primary,
		append([]netip.Addr{}, e.Secondary...), append([]netip.Addr{}, e.IPv6...),
		append(append([]netip.Prefix{}, e.IPv4Prefixes...), e.IPv6Prefixes...), e.Tags, e.SourceDestCheck,
	}
}

func enisJSON(enis []model.ENI) []eniJSON {
	out := make([]eniJSON, len(enis))
	for i, e := range enis {
		out[i] = newENIJSON(e)
	}
	return out
}

// imdsJSON is a state, or a change of one: what is nil stays as it is.
type imdsJSON struct {
	Down      *bool     `json:"down,omitempty"`
	Blocked   *bool     `json:"blocked,omitempty"`
	Staleness *duration `json:"staleness,omitempty"`
	HopLimit  *int      `json:"hopLimit,omitempty"`
}

func newIMDSJSON(s model.IMDSState) imdsJSON {
	stale := duration(s.Staleness)
	return imdsJSON{&s.Down, &s.Blocked, &stale, &s.HopLimit}
}

func (j imdsJSON) apply(s *model.IMDSState) {
	set(&s.Down, j.Down)
	set(&s.Blocked, j.Blocked)
	set(&s.HopLimit, j.HopLimit)
	if j.Staleness != nil {
		s.Staleness = time.Duration(*j.Staleness)
	}
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

const tagKey = "aws:ResourceTag/node.k8s.amazonaws.com/no_manage"

// A policy is an IAM policy in the form of the examples.
type policy struct {
	Version   string
	Statement []statement
}

type statement struct {
	Sid, Effect string
	Principal   map[string]string
	Action      words
	Resource    words
	Condition   map[string]map[string]words
}

// words are one string or several.
type words []string

func (w *words) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*w = words{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(w))
}

func policies(t *testing.T) map[string]policy {
	t.Helper()
	files, err := filepath.Glob(where + "/iam/*.json")
	if err != nil || len(files) < 6 {
		t.Fatalf("found %d policies, %v", len(files), err)
	}
	out := map[string]policy{}
	for _, file := range files {
		var p policy
		d := json.NewDecoder(bytes.NewReader([]byte(read(t, file))))
		d.DisallowUnknownFields()
		if err := d.Decode(&p); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if p.Version != "2012-10-17" || len(p.Statement) == 0 {
			t.Errorf("%s: version %s, %d statements", file, p.Version, len(p.Statement))
		}
		out[filepath.Base(file)] = p
	}
	return out
}

// calls are the actions that the registrar needs: the methods of the interface
// through which it speaks to EC2.
func calls() []string {
	var out []string
	ec2 := reflect.TypeFor[eniassign.EC2]()
	for i := range ec2.NumMethod() {
		out = append(out, "ec2:"+ec2.Method(i).Name)
	}
	slices.Sort(out)
	return out
}

// TestRegistrarPolicies: exactly the actions that are called; those that change
// something on tagged ENIs of one account and Region only.
func TestRegistrarPolicies(t *testing.T) {
	all := slices.DeleteFunc(calls(), func(a string) bool { return strings.Contains(a, "Route") })
	ipv4 := slices.DeleteFunc(slices.Clone(all), func(a string) bool { return strings.Contains(a, "Ipv6") })
	for name, want := range map[string][]string{"registrar.json": all, "registrar-one-vpc.json": all, "registrar-ipv4.json": ipv4} {
		var actions []string
		for _, s := range policies(t)[name].Statement {
			actions = append(actions, s.Action...)
			if s.Effect != "Allow" || s.Principal != nil {
				t.Errorf("%s: %s: %+v", name, s.Sid, s)
			}
			if slices.Equal(s.Action, words{"ec2:DescribeNetworkInterfaces"}) {
				continue
			}
			if got := s.Condition["StringEquals"][tagKey]; !slices.Equal(got, words{"true"}) {
				t.Errorf("%s: %s has the tag condition %q", name, s.Sid, got)
			}
			for _, r := range s.Resource {
				if !strings.HasPrefix(r, "arn:aws:ec2:eu-west-1:111122223333:network-interface/") {
					t.Errorf("%s: %s is about %s", name, s.Sid, r)
				}
			}
		}
		slices.Sort(actions)
		if !slices.Equal(actions, want) {
			t.Errorf("%s allows %v, the registrar calls %v", name, actions, want)
		}
	}
}

// TestRoutesPolicy: what floating IPs outside of the subnet need beside registrar.json,
// and no more: changes in route tables by name only.
func TestRoutesPolicy(t *testing.T) {
	want := slices.DeleteFunc(calls(), func(a string) bool { return !strings.Contains(a, "Route") })
	var actions []string
	for _, s := range policies(t)["registrar-routes.json"].Statement {
		actions = append(actions, s.Action...)
		if slices.Equal(s.Action, words{"ec2:DescribeRouteTables"}) {
			continue
		}
		for _, r := range s.Resource {
			if !strings.HasPrefix(r, "arn:aws:ec2:eu-west-1:111122223333:route-table/rtb-") || strings.Contains(r, "*") {
				t.Errorf("%s is about %s", s.Sid, r)
			}
		}
		if s.Effect != "Allow" || len(s.Resource) == 0 {
			t.Errorf("%+v", s)
		}
	}
	slices.Sort(actions)
	if !slices.Equal(actions, want) {
		t.Errorf("it allows %v, the registrar calls %v", actions, want)
	}
}

// TestNothingChangesEverything: in no policy of the examples is an action that
// changes something allowed on all resources, and none has a wildcard.
func TestNothingChangesEverything(t *testing.T) {
	for name, p := range policies(t) {
		trust := strings.HasPrefix(name, "trust-")
		for _, s := range p.Statement {
			if trust != (s.Principal != nil) || trust != (s.Resource == nil) {
				t.Errorf("%s: %s: principal %v, resource %v", name, s.Sid, s.Principal, s.Resource)
			}
			if trust && len(s.Condition) == 0 {
				t.Errorf("%s: %s: anybody may take the role", name, s.Sid)
			}
			for _, a := range s.Action {
				if strings.Contains(a, "*") {
					t.Errorf("%s: %s allows %s", name, s.Sid, a)
				}
				if slices.Contains(s.Resource, "*") && !strings.HasPrefix(a, "ec2:Describe") {
					t.Errorf("%s: %s allows %s on everything", name, s.Sid, a)
				}
			}
		}
	}
}

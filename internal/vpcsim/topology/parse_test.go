// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

var byValue = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
}

func TestLoad(t *testing.T) {
	got, err := Load("testdata/two-workers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got.Region != "eu-central-1" || got.EC2.Latency != 100*time.Millisecond || !got.EC2.Throttle || got.IMDS.Staleness != 30*time.Second {
		t.Errorf("the knobs were not read: %+v %+v", got.EC2, got.IMDS)
	}
	want := ENI{
		Name: "w2-sig", ID: DeriveID("eni", "w2-sig"), MAC: "02:00:00:00:00:22", Index: 1, Subnet: "sig-a",
		IP: netip.MustParseAddr("10.0.1.12"), Tags: map[string]string{"node.k8s.amazonaws.com/no_manage": "true"},
	}
	if diff := cmp.Diff(want, got.Workers[1].ENIs[1], byValue); diff != "" {
		t.Errorf("ENI (-want +got):\n%s", diff)
	}
	if got.Workers[0].HopLimit != DefaultHopLimit || got.Workers[1].HopLimit != 1 {
		t.Errorf("hop limits are %d and %d, want the default and 1", got.Workers[0].HopLimit, got.Workers[1].HopLimit)
	}
	if got.Assumptions.IPv6NotMappedCode != "InvalidNetworkInterfaceID.NotFound" || got.Assumptions.InPrefixCode != "InvalidParameterValue" {
		t.Errorf("assumptions are %+v", got.Assumptions)
	}
	if again, err := Complete(got); err != nil {
		t.Error(err)
	} else if diff := cmp.Diff(got, again, byValue); diff != "" {
		t.Errorf("completing twice changes something (-once +twice):\n%s", diff)
	}
}

func TestLoadMissingFile(t *testing.T) {
	if _, err := Load("testdata/none.yaml"); !os.IsNotExist(underlying(err)) {
		t.Errorf("got %v, want that the file does not exist", err)
	}
}

func underlying(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok || os.IsNotExist(err) {
			return err
		}
		err = u.Unwrap()
	}
}

// base is a topology to which one change makes one fault.
const base = `region: eu-central-1
vpc: {cidrs: [10.0.0.0/16, "2600:1f14:1:200::/56"]}
subnets:
- {name: a, zone: eu-central-1a, cidr: 10.0.1.0/24, ipv6: "2600:1f14:1:201::/64"}
- {name: b, zone: eu-central-1b, cidr: 10.0.2.0/24}
workers:
- name: w
  enis:
  - {name: e0, index: 0, subnet: a, ip: 10.0.1.10}
  - {name: e1, index: 1, subnet: a, ip: 10.0.1.11}
pods:
- {name: p, worker: w, interfaces: [{name: net1, eni: e1, addresses: [10.0.1.100/24]}]}
`

func TestFaults(t *testing.T) {
	tests := []struct {
		name, old, new string
		want           []string // parts of each fault
	}{
		{"not YAML", "region:", "region: [", []string{"f.yaml:1: this is not YAML"}},
		{"unknown key", "region:", "regoin:", []string{`f.yaml:1: regoin: this key is not known here; known are account`}},
		{"nearly known key", "worker: w,", "Worker: w,", []string{`f.yaml:12: pods[0].Worker: this key is not known here; did you mean "worker"?`, "no worker"}},
		{"doubled key", "- name: w\n", "- name: w\n  name: x\n", []string{"f.yaml:8: workers[0].name: this key is already there, at line 7; remove one"}},
		{"merge key", "- name: w\n", "- <<: {}\n  name: w\n", []string{"f.yaml:7: workers[0]: keys must be plain words"}},
		{"second document", "region:", "---\n{}\n---\nregion:", []string{"second document"}},
		{"list wanted", "pods:\n- ", "pods:\n  ", []string{"f.yaml:12: pods: here a list is wanted"}},
		{"scalar wanted", "ip: 10.0.1.10", "ip: [10.0.1.10]", []string{"f.yaml:9: workers[0].enis[0].ip: here a single value is wanted"}},
		{"bad address", "ip: 10.0.1.10", "ip: 10.0.1", []string{`f.yaml:9: workers[0].enis[0].ip: "10.0.1" cannot be read; write an address such as`}},
		{"bad duration", "vpc:", "ec2: {latency: 5}\nvpc:", []string{`f.yaml:2: ec2.latency: "5" cannot be read; write a number with its unit`}},
		{"bad number", "index: 1", "index: one", []string{`workers[0].enis[1].index: "one" cannot be read; write a whole number`}},
		{"host bits", "10.0.1.0/24, ipv6", "10.0.1.1/24, ipv6", []string{"f.yaml:4: subnets[0].cidr: 10.0.1.1/24 has bits set behind its prefix length; write 10.0.1.0/24"}},
		{"outside the VPC", "cidr: 10.0.2.0/24", "cidr: 10.1.2.0/24", []string{"f.yaml:5: subnets[1].cidr: 10.1.2.0/24 is outside of the VPC's blocks"}},
		{"overlap", "cidr: 10.0.2.0/24", "cidr: 10.0.1.128/25", []string{"10.0.1.128/25 overlaps 10.0.1.0/24 of subnet a"}},
		{"too small a subnet", "cidr: 10.0.2.0/24", "cidr: 10.0.2.0/29", []string{"/16 to /28"}},
		{"IPv6 is not /64", "201::/64", "201::/80", []string{"write an IPv6 block of /64"}},
		{"zone of elsewhere", "zone: eu-central-1b", "zone: us-east-1b", []string{`"us-east-1b" is not a zone of eu-central-1; write for example eu-central-1a`}},
		{"unknown subnet", "subnet: a, ip: 10.0.1.11", "subnet: c, ip: 10.0.1.11", []string{`f.yaml:10: workers[0].enis[1].subnet: there is no subnet "c"`}},
		{"another zone", "subnet: a, ip: 10.0.1.11", "subnet: b, ip: 10.0.2.11", []string{"subnet b is in zone eu-central-1b, the worker in eu-central-1a"}},
		{"outside the subnet", "ip: 10.0.1.11", "ip: 10.0.2.11", []string{"f.yaml:10: workers[0].enis[1].ip: 10.0.2.11 is outside of subnet a (10.0.1.0/24); write an address of that subnet"}},
		{"reserved", "ip: 10.0.1.11", "ip: 10.0.1.3", []string{"10.0.1.3 is one of the addresses of subnet a that EC2 keeps for itself"}},
		{"last address", "ip: 10.0.1.11", "ip: 10.0.1.255", []string{"EC2 keeps for itself"}},
		{"doubled address", "ip: 10.0.1.11", "ip: 10.0.1.10", []string{"10.0.1.10 is already that of ENI e0; an address is on one ENI only"}},
		{"no address", ", ip: 10.0.1.11", "", []string{"workers[0].enis[1].ip: the address is missing; write an IPv4 address of subnet a"}},
		{"IPv6 as IPv4", "ip: 10.0.1.11", "ip: \"2600:1f14:1:201::1:1\"", []string{"is not IPv4"}},
		{"IPv6 without a block", "subnet: a, ip: 10.0.1.10}", "subnet: b, ip: 10.0.2.10, ipv6: [\"2600::1\"]}", []string{"subnet b has no IPv6 block", "in zone"}},
		{"prefix of a wrong size", "ip: 10.0.1.11", "ip: 10.0.1.11, prefixes: [10.0.1.64/27]", []string{"write a /28 block inside of 10.0.1.0/24"}},
		{"prefix in use", "ip: 10.0.1.11", "ip: 10.0.1.11, prefixes: [10.0.1.0/28]", []string{"10.0.1.0/28 contains 10.0.1.10 of ENI e0", "EC2 keeps for itself"}},
		{"doubled index", "index: 1", "index: 0", []string{"f.yaml:10: workers[0].enis[1].index: the device index 0 is that of e0"}},
		{"no primary ENI", "index: 0", "index: 2", []string{"the worker has no ENI with index 0"}},
		{"bad MAC", "ip: 10.0.1.11", "ip: 10.0.1.11, mac: \"03:00:00:00:00:01\"", []string{"is not a MAC address; write six bytes with colons"}},
		{"bad id", "ip: 10.0.1.11", "ip: 10.0.1.11, id: eni-xyz", []string{`"eni-xyz" is not an id; write eni- and 17 (or 8)`}},
		{"doubled ENI", "name: e1, index", "name: e0, index", []string{"the name \"e0\" is already taken", "id", "mac", "no ENI \"e1\""}},
		{"unknown worker", "worker: w", "worker: x", []string{`no worker "x"`}},
		{"unknown ENI", "eni: e1", "eni: e9", []string{`f.yaml:12: pods[0].interfaces[0].eni: there is no ENI "e9"`}},
		{"eth0", "name: net1", "name: eth0", []string{"eth0 is there by itself"}},
		{"name of an interface", "name: net1", "name: a-name-of-16-byt", []string{"not the name of an interface"}},
		{"bare address of a pod", "10.0.1.100/24", "10.0.1.100", []string{"write an address with its prefix length"}},
		{"address of EC2", "10.0.1.100/24", "192.0.2.10/32", []string{"f.yaml:12: pods[0].interfaces[0].addresses[0]: 192.0.2.10/32 hides EC2, which is at 192.0.2.10 here"}},
		{"address of IMDS", "10.0.1.100/24", "10.0.1.100/24], routes: [169.254.0.0/16", []string{"f.yaml:12: pods[0].interfaces[0].routes[0]: 169.254.0.0/16 is where IMDS is"}},
		{"way to EC2", "10.0.1.100/24", "10.0.1.100/24], routes: [198.51.100.0/24, 192.0.2.0/24", []string{"pods[0].interfaces[0].routes[1]: 192.0.2.0/24 hides EC2"}},
		{"way with host bits", "10.0.1.100/24", "10.0.1.100/24], routes: [198.51.100.1/24", []string{"routes[0]: 198.51.100.1/24 has bits set"}},
		{"same address on one ENI", "pods:\n", "pods:\n- {name: q, worker: w, interfaces: [{name: net1, eni: e1, addresses: [10.0.1.100/24]}]}\n",
			[]string{"pod q has 10.0.1.100 on ENI e1 already; ipvlan allows an address once per ENI"}},
		{"route inside the VPC", "workers:", "route-tables: [{name: main, routes: [{destination: 10.0.9.0/24, eni: e1}]}]\nworkers:", []string{"lies inside of the VPC"}},
		{"route to nowhere", "workers:", "route-tables: [{name: main, routes: [{destination: 192.0.2.1/32, eni: e9}]}]\nworkers:", []string{`there is no ENI "e9"`}},
		{"unknown route table", "cidr: 10.0.2.0/24", "cidr: 10.0.2.0/24, route-table: x", []string{`there is no route table "x"`}},
		{"reservation outside", "cidr: 10.0.2.0/24", "cidr: 10.0.2.0/24, reservations: [{cidr: 10.0.3.0/28}]", []string{"outside of subnet b"}},
		{"reservation of no type", "cidr: 10.0.2.0/24", "cidr: 10.0.2.0/24, reservations: [{cidr: 10.0.2.16/28, type: x}]", []string{"write explicit or prefix"}},
		{"hop limit", "- name: w\n", "- name: w\n  hop-limit: 65\n", []string{"65 is no hop limit"}},
		{"short credentials", "vpc:", "imds: {credentials-last: 1s}\nvpc:", []string{"f.yaml:2: imds.credentials-last: 1s is too short; write 2s or more"}},
		{"kind of machine", "- name: w\n", "- name: w\n  machine: qemu\n", []string{`f.yaml:8: workers[0].machine: "qemu" is no kind of machine; write vm, or namespace`}},
		{"pods of a virtual machine", "- name: w\n", "- name: w\n  machine: vm\n  pod-cidr: 100.64.0.0/24\n",
			[]string{"f.yaml:9: workers[0].pod-cidr: a virtual machine gives", "pods[0].worker: worker w is a virtual machine; start the pod inside of it"}},
		{"all at once", "ip: 10.0.1.11", "ip: 10.0.9.11, mac: x, bogus: 1", []string{"bogus", "mac", "10.0.9.11"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("f.yaml", []byte(strings.Replace(base, tt.old, tt.new, 1)))
			got := Faults(err)
			for _, want := range tt.want {
				if !slices.ContainsFunc(got, func(f Fault) bool { return strings.Contains(f.Error(), want) }) {
					t.Errorf("no fault says %q", want)
				}
			}
			if len(got) != len(tt.want) || t.Failed() {
				t.Errorf("want %d faults, got %d:\n%v", len(tt.want), len(got), err)
			}
			for _, f := range got {
				if f.Cure == "" || f.Line == 0 {
					t.Errorf("a fault without cure or line: %v", f)
				}
			}
		})
	}
}

func TestEmptyFile(t *testing.T) {
	if _, err := Parse("f.yaml", nil); err == nil || !strings.Contains(err.Error(), "f.yaml:1: the file is empty") {
		t.Errorf("got %v", err)
	}
}

func TestAliasesCannotBlowUp(t *testing.T) {
	var b strings.Builder
	b.WriteString("pods:\n- &a0 {name: p, interfaces: []}\nsubnets: [&x0 [a, a, a, a, a, a, a, a, a]")
	for i := 1; i < 12; i++ {
		b.WriteString(", &x" + string(rune('0'+i%10)) + string(rune('a'+i/10)) + " [*x0, *x0, *x0]")
	}
	b.WriteString("]\n")
	if _, err := Parse("f.yaml", []byte(b.String())); err == nil {
		t.Error("nonsense was accepted")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(base))
	example, err := os.ReadFile("testdata/two-workers.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("- &a {<<: *a}"))
	f.Add([]byte("subnets: [{cidr: 0.0.0.0/0, ipv6: \"::/0\"}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Parse("f.yaml", data)
		if err != nil {
			if len(Faults(err)) == 0 {
				t.Fatalf("an error without a fault: %v", err)
			}
			return
		}
		text, err := yaml.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse("again.yaml", text)
		if err != nil {
			t.Fatalf("what was accepted is refused when written out: %v\n%s", err, text)
		}
		if diff := cmp.Diff(got, again, byValue, emptyIsNil()); diff != "" {
			t.Fatalf("written out and read again (-first +second):\n%s", diff)
		}
	})
}

// emptyIsNil makes empty lists and maps equal to none at all.
func emptyIsNil() cmp.Option {
	return cmp.FilterValues(func(a, b any) bool {
		return isEmpty(a) && isEmpty(b)
	}, cmp.Ignore())
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case []Reservation:
		return len(v) == 0
	case []Route:
		return len(v) == 0
	case []Subnet:
		return len(v) == 0
	case []RouteTable:
		return len(v) == 0
	case []Worker:
		return len(v) == 0
	case []Pod:
		return len(v) == 0
	case []ENI:
		return len(v) == 0
	case []Interface:
		return len(v) == 0
	case []Denial:
		return len(v) == 0
	case []string:
		return len(v) == 0
	case []netip.Addr:
		return len(v) == 0
	case []netip.Prefix:
		return len(v) == 0
	case map[string]string:
		return len(v) == 0
	}
	return false
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"strconv"
	"strings"
	"testing"
)

// TestBadNetworksAreTold: each is refused with words that lead to a good one.
func TestBadNetworksAreTold(t *testing.T) {
	for _, tt := range []struct{ text, says string }{
		{`[null]`, "network 1 of the list is null"},
		{`[{"name":"n3"}, null ]`, "network 2 of the list is null"},
		{`[{}]`, "network 1 of the list has no name"},
		{`[{"name":`, "unexpected end"},
		{`[{"name":"upf/n3"}]`, `network 1 of the list has the name "upf/n3"`},
		{`[{"name":"upf/n3"}]`, `"namespace"`},
		{`[{"name":"n3"},{"name":"N4"}]`, `network 2 of the list has the name "N4"`},
		{`[{"name":"n3","namespace":"a.b"}]`, `network 1 of the list has the namespace "a.b"`},
		{`[{"name":"n3","namespace":"../x"}]`, `has the namespace "../x"`},
		{strings.Repeat("n,", 40_000), "it is 80000 bytes long: 65536 are allowed"},
		{`[{"name":"` + strings.Repeat("n", 70_000) + `"}]`, "bytes long: 65536 are allowed"},
		{strings.Repeat("n3,", 64) + "n3", "it has 65 networks: 64 are allowed"},
		{strings.Repeat("n3 @ net1,", 64) + "n3", "it has 65 networks: 64 are allowed"},
		{`[{"name":"n3"}` + strings.Repeat(`,{"name":"n3"}`, 64) + `]`, "it has 65 networks: 64 are allowed"},
		{strings.Repeat("n", 254), "has the name"},
		{strings.Repeat("n", 64) + "/n3", "has the namespace"},
	} {
		got, err := ParseNetworks(tt.text, "upf")
		if err == nil || got != nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%.40s: %v, %v, want an error that says %q", tt.text, got, err, tt.says)
		}
	}
}

// TestNamesThatKubernetesTakesAreRead.
func TestNamesThatKubernetesTakesAreRead(t *testing.T) {
	for _, text := range []string{"n3", "ns/n-3@net7", `[{"name":"n3.example","namespace":"ns"}]`, strings.Repeat("n", 253)} {
		if got, err := ParseNetworks(text, "upf"); err != nil || len(got) != 1 {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

// TestManyUnknownInterfacesAreOneWarning of a length that the API server shows.
func TestManyUnknownInterfacesAreOneWarning(t *testing.T) {
	d := Decision{Mode: ModeSidecar, Native: true}
	var networks []Network
	for i := range 64 {
		d.Settings.Interfaces = append(d.Settings.Interfaces, "unknown"+strconv.Itoa(i))
		d.Selections = append(d.Selections, Selection{Namespace: "upf", Name: "n3", Interface: "net" + strconv.Itoa(i+1)})
		networks = append(networks, Network{Found: true})
	}
	got := d.warnings(Facts{Pod: &Pod{Metadata: &Metadata{}, Spec: &Spec{}}, Selections: d.Selections, Networks: networks})
	if len(got) != 1 || !strings.Contains(got[0].Message, "unknown0, unknown1, unknown2, unknown3 and 60 more") || len(got[0].Message) > 256-len("multus-ip-registrar: ") {
		t.Errorf("%v", got)
	}
}

// TestUnreadableNetworksAreCitedInShort: the library repeats what it cannot read.
func TestUnreadableNetworksAreCitedInShort(t *testing.T) {
	pod := &Pod{Metadata: &Metadata{Annotations: map[string]string{KeyInject: "sidecar"}}, Spec: &Spec{}}
	f := Facts{Pod: pod}
	if f.Selections, f.NetworksError = ParseNetworks(strings.Repeat("N", 60_000), "upf"); f.NetworksError == nil {
		t.Fatal("it can be read")
	}
	if d := Decide(f); d.Reason != ReasonBadNetworks || len(d.Message) > 500 {
		t.Errorf("%s: %.600s", d.Reason, d.Message)
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	nadutils "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/utils"
	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/yaml"
)

// storyPods are the raw pods of all stories.
func storyPods(f testing.TB) [][]byte {
	f.Helper()
	files, err := filepath.Glob("testdata/stories/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("no stories: %v", err)
	}
	var out [][]byte
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		raw, err := yaml.YAMLToJSON(a.Files[0].Data)
		if err != nil {
			f.Fatal(err)
		}
		out = append(out, raw)
	}
	return out
}

// FuzzPatchKeepsEverything: whatever the pod, each mode's patch applies and takes
// nothing from it, and a second call does nothing.
func FuzzPatchKeepsEverything(f *testing.F) {
	for _, raw := range storyPods(f) {
		f.Add(raw)
	}
	f.Add([]byte(`{"metadata":{},"spec":{}}`))
	f.Add([]byte(`{"metadata":{"annotations":null,"x":[{}]},"spec":{"volumes":[{}],"initContainers":[null],"containers":[{"y":1e300}]},"status":{"z":[]}}`))
	f.Fuzz(func(t *testing.T, input []byte) {
		// The API server has decoded it once: no key comes twice.
		var v any
		if json.Unmarshal(input, &v) != nil {
			return
		}
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		pod, err := ParsePod(raw)
		if err != nil {
			return
		}
		if _, ok := pod.Metadata.Annotations[KeyStatus]; ok {
			return
		}
		for _, native := range []bool{true, false} {
			for _, mode := range []Mode{ModeInit, ModeSidecar} {
				d := Decision{Mode: mode, Source: "pod"}
				d.inject(Facts{Pod: pod, NativeSidecars: native})
				ops, err := Patch(pod, d, defaults())
				if err != nil {
					t.Fatal(err)
				}
				patched := apply(t, raw, ops)
				if err := kept(decoded(t, raw), decoded(t, patched), "pod"); err != nil {
					t.Errorf("%s: %v", raw, err)
				}
				again, err := ParsePod(patched)
				if err != nil {
					t.Fatal(err)
				}
				if d := Decide(Facts{Pod: again, NativeSidecars: native}); d.Outcome != OutcomeSkipped {
					t.Errorf("a second call: %s, %s", d.Outcome, d.Reason)
				}
			}
		}
	})
}

// FuzzDecide: no pod and no cluster make it panic, and each decision has a reason
// and a sentence.
func FuzzDecide(f *testing.F) {
	for _, raw := range storyPods(f) {
		f.Add(raw, "sidecar", "init", `{"type":"macvlan"}`)
	}
	f.Fuzz(func(t *testing.T, raw []byte, label, annotation, cniType string) {
		pod, err := ParsePod(raw)
		if err != nil {
			return
		}
		facts := Facts{Pod: pod, Namespace: "upf", NamespaceInject: label, NativeSidecars: true}
		facts.Selections, facts.NetworksError = ParseNetworks(pod.Metadata.Annotations[NetworksKey], "upf")
		for range facts.Selections {
			facts.Networks = append(facts.Networks, Network{Found: label != "", Inject: annotation, Types: []string{cniType}})
		}
		d := Decide(facts)
		if d.Reason == "" || d.Message == "" || d.Outcome == "" {
			t.Errorf("%+v", d)
		}
		if _, err := Patch(pod, d, defaults()); err != nil {
			t.Error(err)
		}
	})
}

// FuzzParseNetworks: no text makes it panic, each network has a name that
// can be looked up, and the short way gives what the library gives.
func FuzzParseNetworks(f *testing.F) {
	for _, text := range []string{
		"n3", "n3,n4", " n3 , ns/n4@net7", "ns/n3@if0", "a-b/c-d@e-f", "-a", "a-", "A", "a//b", "a@b@c", "@", "/", ",", "a,,b", "a @ b", "ns / n3",
		`[{"name":"n3"}]`, `[{"name":"n3","namespace":"x","interface":"n3"}]`, `[null]`, `[{"name":"n3"},null]`, `[{"name":"n3","interface":null}]`, `[{"name":"ns/n3"}]`, `[]`, `{}`, `"n3"`, "n3\n", "é", "a.b",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParseNetworks(text, "def")
		for _, s := range list {
			if err != nil || strings.Contains(s.Namespace+s.Name, "/") || s.Namespace == "" || s.Name == "" || s.Interface == "" {
				t.Errorf("%q: %+v, %v", text, s, err)
			}
		}
		fast := parseShort(text, "def")
		if fast == nil {
			return
		}
		want, err := nadutils.ParseNetworkAnnotation(text, "def")
		if err != nil || len(want) != len(fast) {
			t.Fatalf("%q: the short way gives %v, the library %d networks, %v", text, fast, len(want), err)
		}
		for i, e := range want {
			name := e.InterfaceRequest
			if name == "" {
				name = fast[i].Interface
			}
			if (Selection{Namespace: e.Namespace, Name: e.Name, Interface: name}) != fast[i] {
				t.Errorf("%q: the short way gives %v, the library %+v", text, fast[i], *e)
			}
		}
	})
}

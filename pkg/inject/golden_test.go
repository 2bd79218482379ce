// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/google/go-cmp/cmp"
	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	"github.com/rogpeppe/go-internal/txtar"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// A world is the cluster of a story. It is a Cluster too.
type world struct {
	Namespace struct {
		Name   string            `json:"name"`
		Labels map[string]string `json:"labels"`
	} `json:"namespace"`
	// Before129 says that the cluster has no native sidecars.
	Before129 bool                                 `json:"before129"`
	NADs      []*nadv1.NetworkAttachmentDefinition `json:"nads"`
}

func (w *world) NamespaceLabels(context.Context, string) (map[string]string, error) {
	return w.Namespace.Labels, nil
}

func (w *world) Network(_ context.Context, namespace, name string) (Network, error) {
	for _, n := range w.NADs {
		if n.Namespace == namespace && n.Name == name {
			return ReadNetwork(n), nil
		}
	}
	return Network{}, nil
}

// A verdict is a decision as the golden files show it.
type verdict struct {
	Outcome  Outcome
	Reason   Reason
	Message  string
	Warnings []string `json:",omitempty"`
}

func defaults() Defaults {
	return Defaults{Image: "registry.example/registrar@sha256:0123"}
}

func mustRead(t testing.TB, w *world, raw []byte) Facts {
	t.Helper()
	pod, err := ParsePod(raw)
	if err != nil {
		t.Fatal(err)
	}
	f, err := gather(t.Context(), w, pod, w.Namespace.Name, !w.Before129)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestStories runs each file of testdata/stories: a pod and its cluster, the
// verdict and the patch. UPDATE_GOLDEN=1 writes the last two anew; read the
// difference before you commit it.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/stories/*.txtar")
	if err != nil || len(files) < 30 {
		t.Fatalf("found %d stories, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { story(t, file) })
	}
}

func story(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string][]byte{}
	for _, f := range archive.Files {
		parts[f.Name] = f.Data
	}
	w := &world{}
	if err := yaml.UnmarshalStrict(parts["cluster.yaml"], w); err != nil {
		t.Fatal(err)
	}
	raw, err := yaml.YAMLToJSON(parts["pod.yaml"])
	if err != nil {
		t.Fatal(err)
	}
	d := Decide(mustRead(t, w, raw))
	v := verdict{d.Outcome, d.Reason, d.Message, nil}
	for _, x := range d.Warnings {
		v.Warnings = append(v.Warnings, string(x.Reason)+": "+x.Message)
		if len(x.Message) > 256-len("multus-ip-registrar: ") {
			t.Errorf("the API server cuts this warning of %d bytes: %s", len(x.Message), x.Message)
		}
	}
	pod, err := ParsePod(raw)
	if err != nil {
		t.Fatal(err)
	}
	ops, err := Patch(pod, d, defaults())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]byte{"verdict.yaml": asYAML(t, v), "patch.json": oneAnOperation(t, ops)}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		update(t, file, archive, got)
		return
	}
	for name, text := range got {
		if diff := cmp.Diff(string(parts[name]), string(text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if len(ops) > 0 {
		checkPatched(t, w, raw, ops)
	}
}

// checkPatched: the patch applies, keeps everything, gives what Kubernetes can
// read, and a second call adds nothing.
func checkPatched(t *testing.T, w *world, raw []byte, ops []Operation) {
	t.Helper()
	patched := apply(t, raw, ops)
	if err := kept(decoded(t, raw), decoded(t, patched), "pod"); err != nil {
		t.Error(err)
	}
	var pod corev1.Pod
	if err := json.Unmarshal(patched, &pod); err != nil {
		t.Errorf("Kubernetes cannot read it: %v", err)
	}
	if again := Decide(mustRead(t, w, patched)); again.Outcome != OutcomeSkipped || again.Reason != ReasonAlreadyInjected {
		t.Errorf("a second call: %s, %s", again.Outcome, again.Reason)
	}
}

func apply(t testing.TB, raw []byte, ops []Operation) []byte {
	t.Helper()
	text, err := json.Marshal(ops)
	if err != nil {
		t.Fatal(err)
	}
	p, err := jsonpatch.DecodePatch(text)
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Apply(raw)
	if err != nil {
		t.Fatalf("apply %s\nto %s\n%v", text, raw, err)
	}
	return out
}

func asYAML(t *testing.T, v any) []byte {
	t.Helper()
	out, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// oneAnOperation writes a patch so that a person can read it, and its changes.
func oneAnOperation(t *testing.T, ops []Operation) []byte {
	t.Helper()
	if len(ops) == 0 {
		return []byte("[]\n")
	}
	var out bytes.Buffer
	for i, op := range ops {
		text, err := json.MarshalIndent(op, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%s%s", map[bool]string{true: "[", false: ",\n"}[i == 0], text)
	}
	out.WriteString("]\n")
	return out.Bytes()
}

func update(t *testing.T, file string, a *txtar.Archive, got map[string][]byte) {
	t.Helper()
	var files []txtar.File
	for _, f := range a.Files {
		if got[f.Name] == nil {
			files = append(files, f)
		}
	}
	a.Files = append(files, txtar.File{Name: "verdict.yaml", Data: got["verdict.yaml"]}, txtar.File{Name: "patch.json", Data: got["patch.json"]})
	if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
		t.Fatal(err)
	}
}

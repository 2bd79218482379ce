// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

const (
	root  = "../.."
	where = root + "/examples/multus"
)

// A manifest is one YAML document.
type manifest struct {
	file string
	kind string
	raw  []byte
}

// manifests are all YAML documents below examples/multus.
func manifests(t *testing.T) []manifest {
	t.Helper()
	var out []manifest
	err := filepath.WalkDir(where, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" {
			return err
		}
		name, err := filepath.Rel(where, path)
		if err != nil {
			return err
		}
		for _, raw := range bytes.Split([]byte(read(t, path)), []byte("\n---\n")) {
			var head struct {
				APIVersion string `json:"apiVersion"`
				Kind       string `json:"kind"`
			}
			if err := yaml.Unmarshal(raw, &head); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if head.Kind == "" || head.APIVersion == "" {
				t.Fatalf("%s has a document without kind or apiVersion", name)
			}
			out = append(out, manifest{name, head.Kind, raw})
		}
		return nil
	})
	if err != nil || len(out) < 20 {
		t.Fatalf("found %d manifests, %v", len(out), err)
	}
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// object decodes a manifest as its type of client-go; unknown and doubled fields
// are errors.
func object(t *testing.T, m manifest) runtime.Object {
	t.Helper()
	codecs := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict)
	o, _, err := codecs.UniversalDeserializer().Decode(m.raw, nil, nil)
	if err != nil {
		t.Fatalf("%s: %v", m.file, err)
	}
	return o
}

// networks are the NetworkAttachmentDefinitions of the examples by ns/name.
func networks(t *testing.T) map[string]*nadv1.NetworkAttachmentDefinition {
	t.Helper()
	out := map[string]*nadv1.NetworkAttachmentDefinition{}
	for _, m := range manifests(t) {
		if m.kind != "NetworkAttachmentDefinition" {
			continue
		}
		nad := &nadv1.NetworkAttachmentDefinition{}
		if err := yaml.UnmarshalStrict(m.raw, nad); err != nil {
			t.Fatalf("%s: %v", m.file, err)
		}
		key := nad.Namespace + "/" + nad.Name
		if out[key] != nil {
			t.Errorf("%s is there twice", key)
		}
		out[key] = nad
	}
	return out
}

// TestEveryManifestIsParsed: what is not a type of Kubernetes is one of two others.
func TestEveryManifestIsParsed(t *testing.T) {
	for _, m := range manifests(t) {
		switch m.kind {
		case "NetworkAttachmentDefinition", "ClusterConfig":
		default:
			object(t, m)
		}
	}
	networks(t)
}

// TestEksctlRunsTheScript: the two ways to make workers do the same.
func TestEksctlRunsTheScript(t *testing.T) {
	for _, m := range manifests(t) {
		if m.file != filepath.Join("workers", "eksctl.yaml") {
			continue
		}
		var c struct {
			APIVersion, Kind  string
			Metadata          map[string]string
			ManagedNodeGroups []struct {
				PreBootstrapCommands []string
				DisablePodIMDS       bool
			}
		}
		if err := yaml.Unmarshal(m.raw, &c); err != nil {
			t.Fatal(err)
		}
		if len(c.ManagedNodeGroups) != 1 || len(c.ManagedNodeGroups[0].PreBootstrapCommands) != 1 {
			t.Fatalf("%s has not one node group with one command: %+v", m.file, c)
		}
		if got := c.ManagedNodeGroups[0].PreBootstrapCommands[0]; got != read(t, where+"/workers/attach-enis.sh") {
			t.Error("workers/eksctl.yaml has another script than workers/attach-enis.sh")
		}
		return
	}
	t.Error("workers/eksctl.yaml is missing")
}

// TestTheTagComesWithTheENI: an ENI that is tagged later is the VPC CNI's by then.
func TestTheTagComesWithTheENI(t *testing.T) {
	script := read(t, where+"/workers/attach-enis.sh")
	_, create, _ := strings.Cut(script, "create-network-interface")
	create, _, _ = strings.Cut(create, "--output text")
	if !strings.Contains(create, "{Key=node.k8s.amazonaws.com/no_manage,Value=true}") {
		t.Errorf("the ENI is made without the tag: %s", create)
	}
	tf := read(t, where+"/workers/main.tf")
	for _, want := range []string{"http_put_response_hop_limit = 2", `file("${path.module}/attach-enis.sh")`} {
		if !strings.Contains(tf, want) {
			t.Errorf("main.tf does not say %s", want)
		}
	}
}

// TestNoRegistryHosts: images are generic names, or the user's to fill in.
func TestNoRegistryHosts(t *testing.T) {
	for _, m := range manifests(t) {
		for line := range strings.Lines(string(m.raw)) {
			_, image, ok := strings.Cut(line, "image: ")
			if !ok {
				continue
			}
			name, comment, _ := strings.Cut(strings.TrimSpace(image), " # ")
			if strings.Contains(name, "/") {
				t.Errorf("%s: image %s names a registry", m.file, name)
			}
			if !strings.HasPrefix(name, "busybox:") && !strings.Contains(comment, "put your image here") {
				t.Errorf("%s: image %s: nobody is told to put theirs", m.file, name)
			}
		}
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"
)

// entries reads a tar archive: contents, and targets of links, by name.
func entries(t *testing.T, archive []byte) map[string]string {
	t.Helper()
	out := map[string]string{}
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := out[h.Name]; twice {
			t.Errorf("%s is there twice", h.Name)
		}
		out[h.Name] = h.Linkname + string(content)
	}
}

func TestWrite(t *testing.T) {
	var b bytes.Buffer
	err := Write(&b,
		Image{
			Name: "registry.example/a:1", Entrypoint: []string{"/bin/a"}, User: "65532:65532",
			Files: []File{{Path: "/bin/a", Content: []byte("program")}, {Path: "/bin/b", Link: "a"}},
		},
		Image{Name: "registry.example/c:1", Files: []File{{Path: "/c", Content: []byte("other")}}})
	if err != nil {
		t.Fatal(err)
	}
	all := entries(t, b.Bytes())
	var manifest []struct {
		Config           string
		RepoTags, Layers []string
	}
	if err := json.Unmarshal([]byte(all["manifest.json"]), &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest) != 2 || manifest[0].RepoTags[0] != "registry.example/a:1" || manifest[1].RepoTags[0] != "registry.example/c:1" {
		t.Fatalf("the manifest is %+v", manifest)
	}
	layer := all[manifest[0].Layers[0]]
	files := entries(t, []byte(layer))
	if files["bin/a"] != "program" || files["bin/b"] != "a" || len(files) != 3 {
		t.Errorf("the layer has %q", files)
	}
	var config struct {
		Config struct {
			Entrypoint []string
			User       string
		}
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
	if err := json.Unmarshal([]byte(all[manifest[0].Config]), &config); err != nil {
		t.Fatal(err)
	}
	if config.Config.User != "65532:65532" || config.Config.Entrypoint[0] != "/bin/a" || config.RootFS.DiffIDs[0] != "sha256:"+digest([]byte(layer)) {
		t.Errorf("the configuration is %+v", config)
	}
}

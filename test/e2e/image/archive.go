// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"runtime"
	"strings"
)

// An Image is one with a single layer.
type Image struct {
	// Name is the reference with its tag.
	Name string
	// Files are the layer's, in the order in which they are to be written.
	Files []File
	// Entrypoint is what runs.
	Entrypoint []string
	// User is "uid:gid", or "" for root.
	User string
}

// A File is a program, or a link to one; both are executable by all.
type File struct {
	// Path is the absolute one in the image.
	Path string
	// Content is the file's.
	Content []byte
	// Link is what a symbolic link points to; then there is no content.
	Link string
}

// searchPath is where programs of an image are looked for.
const searchPath = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"

// Write writes images in the form of "docker save".
// Source: moby's image specification v1.2, "Combined Image JSON + Filesystem
// Changeset Format".
func Write(to io.Writer, images ...Image) error {
	archive := tar.NewWriter(to)
	var manifest []map[string]any
	for i, image := range images {
		layer, err := image.layer()
		if err != nil {
			return fmt.Errorf("write image %s: %w", image.Name, err)
		}
		config, err := image.config(layer)
		if err != nil {
			return fmt.Errorf("write image %s: %w", image.Name, err)
		}
		configFile, layerFile := digest(config)+".json", fmt.Sprintf("%d/layer.tar", i)
		if err := add(archive, configFile, config); err != nil {
			return err
		}
		if err := add(archive, layerFile, layer); err != nil {
			return err
		}
		manifest = append(manifest, map[string]any{
			"Config": configFile, "RepoTags": []string{image.Name}, "Layers": []string{layerFile},
		})
	}
	text, err := json.Marshal(manifest)
	if err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	if err := add(archive, "manifest.json", text); err != nil {
		return err
	}
	return archive.Close()
}

// layer is a tar archive of the files and of their directories.
func (i Image) layer() ([]byte, error) {
	var out bytes.Buffer
	layer := tar.NewWriter(&out)
	made := map[string]bool{".": true}
	for _, f := range i.Files {
		name := strings.TrimPrefix(path.Clean(f.Path), "/")
		var missing []string
		for d := path.Dir(name); !made[d]; d = path.Dir(d) {
			made[d] = true
			missing = append([]string{d}, missing...)
		}
		for _, d := range missing {
			if err := layer.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: d + "/", Mode: 0o755}); err != nil {
				return nil, err
			}
		}
		if f.Link != "" {
			if err := layer.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: f.Link, Mode: 0o777}); err != nil {
				return nil, err
			}
		} else if err := add(layer, name, f.Content); err != nil {
			return nil, err
		}
	}
	err := layer.Close()
	return out.Bytes(), err
}

func (i Image) config(layer []byte) ([]byte, error) {
	return json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": i.Entrypoint, "User": i.User, "Env": []string{searchPath}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + digest(layer)}},
	})
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func add(to *tar.Writer, name string, content []byte) error {
	if err := to.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if _, err := to.Write(content); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

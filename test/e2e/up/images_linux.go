// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/cluster"
	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/image"
)

const (
	// registry is where the product's images pretend to be from.
	registry = "registry.example/multus-ip-registrar/"
	// applicationImage is what examples/multus use.
	applicationImage = "docker.io/library/busybox:1.37"
	// productUser is the one in the Dockerfile.
	productUser = "65532:65532"
)

// writeImages writes all images that workers need.
func writeImages(to, bin, version string) error {
	busybox, err := busybox()
	if err != nil {
		return err
	}
	keepalived, err := program(keepalivedPath)
	if err != nil {
		return err
	}
	images := []image.Image{
		// A sandbox's process is ended by SIGKILL: it need not listen.
		{Name: cluster.PauseImage, Files: busybox, Entrypoint: []string{"/bin/sleep", "infinity"}},
		{Name: applicationImage, Files: busybox, Entrypoint: []string{"/bin/sh"}},
		{Name: keepalivedImage, Files: append(slices.Clone(busybox), keepalived...), Entrypoint: []string{keepalivedPath}},
	}
	for _, name := range []string{"registrar", "webhook"} {
		program, err := os.ReadFile(filepath.Join(bin, name))
		if err != nil {
			return err
		}
		images = append(images, image.Image{
			Name: registry + name + ":" + version, User: productUser, Entrypoint: []string{"/" + name},
			Files: []image.File{{Path: "/" + name, Content: program}},
		})
	}
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	if err := image.Write(f, images...); err != nil {
		return err
	}
	return f.Close()
}

// busybox is this machine's static one, with a link for each of its programs.
func busybox() ([]image.File, error) {
	const path = "/bin/busybox"
	program, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: run scripts/deps.sh e2e", err)
	}
	list, err := exec.Command(path, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("ask busybox for its programs: %w", err)
	}
	files := []image.File{{Path: path, Content: program}}
	for name := range strings.Lines(string(list)) {
		if name = strings.TrimSpace(name); name != "busybox" {
			files = append(files, image.File{Path: "/bin/" + name, Link: "busybox"})
		}
	}
	return files, nil
}

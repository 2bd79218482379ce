// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/image"
)

const (
	// keepalivedImage is for the pods that share a floating IP.
	keepalivedImage = "docker.io/library/keepalived:test"
	keepalivedPath  = "/usr/sbin/keepalived"
)

// library is one in what ldd writes: with "=>" one that was looked for, without
// it the loader.
var library = regexp.MustCompile(`(?m)^\s(?:\S+ => )?(/\S+) \(0x`)

// program is a program of this machine and its shared libraries, each where the
// loader looks for it.
func program(path string) ([]image.File, error) {
	out, err := exec.Command("ldd", path).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("ask for the libraries of %s: %w: %s: run scripts/deps.sh e2e", path, err, out)
	}
	paths := []string{path}
	for _, m := range library.FindAllStringSubmatch(string(out), -1) {
		paths = append(paths, m[1])
	}
	var files []image.File
	for _, p := range paths {
		content, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		files = append(files, image.File{Path: p, Content: content})
	}
	return files, nil
}

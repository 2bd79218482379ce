// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

const (
	// exampleFile has the configuration that users copy, and that is run here.
	exampleFile = "examples/multus/keepalived/active-standby.yaml"
	exampleKey  = "keepalived.conf"
	// handOverDir is where the example's track_file is, handOverFile its name.
	handOverDir  = "/run/hand-over"
	handOverFile = "signalling"
)

// readExample returns keepalived's configuration for both pods.
func readExample(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read keepalived's configuration: %w", err)
	}
	for doc := range bytes.SplitSeq(raw, []byte("\n---\n")) {
		var m corev1.ConfigMap
		if err := yaml.Unmarshal(doc, &m); err != nil {
			return "", fmt.Errorf("read keepalived's configuration in %s: %w", path, err)
		}
		if m.Kind == "ConfigMap" && m.Data[exampleKey] != "" {
			return m.Data[exampleKey], nil
		}
	}
	return "", fmt.Errorf("%s has no ConfigMap with %s", path, exampleKey)
}

// writeConfig writes the configuration as a pod sees it: with a directory of
// its own, and with the addresses of the kind. What is to be replaced must be
// there, or something else than the example would be measured.
func writeConfig(example, dir string, k kind) (path string, err error) {
	for _, c := range append([][2]string{{handOverDir, dir}}, k.config...) {
		if !strings.Contains(example, c[0]) {
			return "", fmt.Errorf("write keepalived's configuration: the example has no %s", c[0])
		}
		example = strings.ReplaceAll(example, c[0], c[1])
	}
	for _, a := range k.addresses {
		if !strings.Contains(example, " "+a.String()+"/") {
			return "", fmt.Errorf("write keepalived's configuration: the example has no %s", a)
		}
	}
	path = filepath.Join(dir, exampleKey)
	if err := os.WriteFile(path, []byte(example), 0o644); err != nil {
		return "", fmt.Errorf("write keepalived's configuration: %w", err)
	}
	return path, nil
}

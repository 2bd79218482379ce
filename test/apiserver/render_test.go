// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"os"
	"path/filepath"
	"strings"
)

const (
	chart = "charts/multus-ip-registrar"
	// helmEnv names the major version of Helm to render with.
	helmEnv, usualHelm = "HELM", "3"
)

// render gives the manifests of the chart as a user installs it, with its defaults,
// in a cluster of the API server's version.
func render(apiserver string) ([]byte, error) {
	version, err := output(apiserver, "--version") // Kubernetes v1.36.3
	if err != nil {
		return nil, err
	}
	major := os.Getenv(helmEnv)
	if major == "" {
		major = usualHelm
	}
	helm, err := output(filepath.Join(root, "scripts", "helm.sh"), major)
	if err != nil {
		return nil, err
	}
	return output(strings.TrimSpace(string(helm)), "template", system, filepath.Join(root, chart),
		"--namespace", system, "--kube-version", strings.TrimPrefix(strings.TrimSpace(string(version)), "Kubernetes "), "--set", "imageRegistry=registry.example")
}

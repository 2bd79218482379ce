// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

const (
	// release is the chart's name, so that the objects are called as in the
	// documentation.
	release     = "multus-ip-registrar"
	usualHelm   = "4"
	usualValues = "imageRegistry=registry.example"
	adminConfig = "admin.kubeconfig"
)

// helms are the major versions that the chart is for.
var helms = []string{"3", "4"}

// chart is the chart's directory.
var chart = filepath.Join(root, "charts", "multus-ip-registrar")

// adminFile writes what Helm reaches the API server by.
func (w *world) adminFile() error {
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters["c"] = &clientcmdapi.Cluster{Server: apiURL, CertificateAuthority: w.apiCertificate()}
	cfg.AuthInfos["u"] = &clientcmdapi.AuthInfo{Token: adminToken}
	cfg.Contexts["x"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "u"}
	cfg.CurrentContext = "x"
	return clientcmd.WriteToFile(*cfg, filepath.Join(w.dir, adminConfig))
}

// helm runs one of the two in the namespace of the installation, with nothing of the
// user's. It gives what Helm prints, its complaints too.
func (w *world) helm(major string, args ...string) (string, error) {
	cmd := exec.Command(os.Getenv(helmEnv+major), append(args, "--namespace", system)...)
	home := filepath.Join(w.dir, "helm")
	cmd.Env = []string{
		"PATH=/usr/bin:/bin", "HOME=" + home, "KUBECONFIG=" + filepath.Join(w.dir, adminConfig),
		"HELM_CACHE_HOME=" + home, "HELM_CONFIG_HOME=" + home, "HELM_DATA_HOME=" + home,
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("helm %s %s: %w\n%s", major, strings.Join(args, " "), err, &out)
	}
	return out.String(), nil
}

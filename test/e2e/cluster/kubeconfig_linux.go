// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// KubeconfigFile is the name of the administrator's kubeconfig in the
// cluster's directory, for programs on this machine.
const KubeconfigFile = "kubeconfig"

// kubeconfig writes one for somebody who reaches the API server at an address.
// A serverName is for the certificate where the address is not in it.
func (c *Cluster) kubeconfig(file, who, address, serverName string) error {
	authority, err := os.ReadFile(c.authority())
	if err != nil {
		return err
	}
	k := clientcmdapi.NewConfig()
	k.Clusters["e2e"] = &clientcmdapi.Cluster{Server: "https://" + address, CertificateAuthorityData: authority, TLSServerName: serverName}
	k.AuthInfos[who] = &clientcmdapi.AuthInfo{Token: token(who)}
	k.Contexts["e2e"] = &clientcmdapi.Context{Cluster: "e2e", AuthInfo: who}
	k.CurrentContext = "e2e"
	if err := clientcmd.WriteToFile(*k, file); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}

// kubeconfigs writes the administrator's two.
func (c *Cluster) kubeconfigs() error {
	if err := c.kubeconfig(c.internalKubeconfig(), "admin", c.apiAddress(), ""); err != nil {
		return err
	}
	outside := net.JoinHostPort("127.0.0.1", strconv.Itoa(c.opts.APIPort))
	return c.kubeconfig(filepath.Join(c.opts.Dir, KubeconfigFile), "admin", outside, "localhost")
}

// apiAddress is the API server's in the VPC.
func (c *Cluster) apiAddress() string {
	return net.JoinHostPort(c.address(controlWorker).Addr().String(), strconv.Itoa(apiPort))
}

func (c *Cluster) internalKubeconfig() string {
	return filepath.Join(c.opts.Dir, "internal.kubeconfig")
}

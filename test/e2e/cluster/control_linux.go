// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
)

const (
	etcdURL     = "http://127.0.0.1:2379"
	etcdPeerURL = "http://127.0.0.1:2380"
	// apiPort is the Kubernetes Service's own: no kube-proxy has to change it.
	apiPort = 443
	// serviceRange begins with the address that topology.yaml has a route for.
	serviceRange = "10.96.0.0/16"
	// apiService is the address in question.
	apiService    = "10.96.0.1/32"
	startPatience = 2 * time.Minute
)

// startAPI starts etcd and the API server and returns when the certificate is
// there that its clients are to trust.
//
// With --enable-aggregator-routing a webhook's Service is resolved to an
// endpoint by the API server itself, as there is no kube-proxy; managed
// clusters do so too.
func (c *Cluster) startAPI() error {
	if err := c.addService(); err != nil {
		return err
	}
	etcd, err := c.process(c.opts.Etcd, "--data-dir", filepath.Join(c.opts.Dir, "etcd"), "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls", etcdURL, "--advertise-client-urls", etcdURL, "--listen-peer-urls", etcdPeerURL,
		"--initial-advertise-peer-urls", etcdPeerURL, "--initial-cluster", "default="+etcdPeerURL)
	if err != nil {
		return err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	tokens := []string{token("admin") + ",admin,admin,system:masters"}
	for _, w := range c.workers {
		tokens = append(tokens, fmt.Sprintf("%s,system:node:%s,%s,system:nodes", token(w.name), w.name, w.name))
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if err := errors.Join(os.WriteFile(c.keyFile(), private, 0o600),
		os.WriteFile(filepath.Join(c.opts.Dir, "tokens.csv"), []byte(strings.Join(tokens, "\n")+"\n"), 0o600)); err != nil {
		return err
	}
	address := c.address(controlWorker).Addr().String()
	api, err := c.process(c.opts.APIServer, "--etcd-servers", etcdURL,
		"--bind-address=0.0.0.0", fmt.Sprintf("--secure-port=%d", apiPort), "--advertise-address="+address,
		"--cert-dir="+c.opts.Dir, "--token-auth-file="+filepath.Join(c.opts.Dir, "tokens.csv"),
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--anonymous-auth=false", "--allow-privileged=true",
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file="+c.keyFile(),
		"--service-account-signing-key-file="+c.keyFile(), "--service-cluster-ip-range="+serviceRange,
		"--kubelet-preferred-address-types=InternalIP", "--enable-aggregator-routing=true", "--profiling=false")
	if err != nil {
		return err
	}
	return until(startPatience, func() error {
		_, err := os.Stat(c.authority())
		return errors.Join(err, etcd.running(), api.running())
	})
}

// addService gives the control plane's instance the address of the Service.
func (c *Cluster) addService() error {
	address, err := netlink.ParseAddr(apiService)
	if err != nil {
		return err
	}
	h, err := c.control().Handle()
	if err != nil {
		return err
	}
	lo, err := h.LinkByName("lo")
	if err == nil {
		err = h.AddrAdd(lo, address)
	}
	if err != nil {
		return fmt.Errorf("add the Service's address %s: %w", apiService, err)
	}
	return nil
}

// startControllers starts what else a control plane has.
func (c *Cluster) startControllers() error {
	config := "--kubeconfig=" + c.internalKubeconfig()
	_, err := c.process(filepath.Join(c.opts.Programs, "kube-controller-manager"), config, "--leader-elect=false", "--bind-address=127.0.0.1",
		"--service-account-private-key-file="+c.keyFile(), "--root-ca-file="+c.authority())
	if err != nil {
		return err
	}
	_, err = c.process(filepath.Join(c.opts.Programs, "kube-scheduler"), config, "--leader-elect=false", "--bind-address=127.0.0.1")
	return err
}

// authority is the API server's own certificate, which it signs itself.
func (c *Cluster) authority() string { return filepath.Join(c.opts.Dir, "apiserver.crt") }

// keyFile signs the tokens of service accounts.
func (c *Cluster) keyFile() string { return filepath.Join(c.opts.Dir, "accounts.key") }

// token is somebody's for the API server. It is no secret: the API server is
// in namespaces of its own, and on a port of the loopback interface.
func token(who string) string { return who + "-of-this-test" }

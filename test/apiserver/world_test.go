// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	nadclient "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/client/clientset/versioned"
	"github.com/vishvananda/netlink"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	apiAddress  = "10.88.0.1" // on the sandbox's loopback interface, as all of them
	apiURL      = "https://127.0.0.1:6443"
	etcdURL     = "http://127.0.0.1:2379"
	etcdPeerURL = "http://127.0.0.1:2380"
	adminToken  = "administrator-of-this-test"
	// replicaAddresses are 10.88.0.11, 12 and so on.
	replicaAddresses, replicaAddress = 8, "10.88.0.%d"
	firstReplica                     = 11
	startPatience                    = 60 * time.Second
)

// A world is an API server with all that is installed, and no replica.
type world struct {
	dir       string
	etcd, api *process
	admin     *rest.Config
	kube      kubernetes.Interface
	nads      nadclient.Interface
	webhook   string // the program
	native    bool   // the API server takes native sidecars: 1.29 and later
	installed installed
}

func newWorld(dir, etcd, apiserver string) (w *world, err error) {
	w = &world{dir: dir, webhook: filepath.Join(filepath.Dir(dir), webhookFile)}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.end())
		}
	}()
	if err := addresses(); err != nil {
		return w, err
	}
	if err := w.startEtcd(etcd); err != nil {
		return w, err
	}
	if err := w.startAPI(apiserver); err != nil {
		return w, err
	}
	w.admin = &rest.Config{
		Host: apiURL, BearerToken: adminToken, QPS: -1,
		TLSClientConfig: rest.TLSClientConfig{CAFile: w.apiCertificate()},
		WarningHandler:  rest.NoWarnings{},
	}
	ready := func() error {
		if !w.api.running() {
			return fmt.Errorf("kube-apiserver has ended\n%s", w.api.tail())
		}
		if w.kube, err = kubernetes.NewForConfig(w.admin); err != nil {
			return err // the certificate is not there yet
		}
		return w.kube.Discovery().RESTClient().Get().AbsPath("/readyz").Do(context.Background()).Error()
	}
	if err := until(startPatience, ready); err != nil {
		return w, fmt.Errorf("the API server is not ready: %w\n%s", err, w.api.tail())
	}
	if w.nads, err = nadclient.NewForConfig(w.admin); err != nil {
		return w, err
	}
	version, err := w.kube.Discovery().ServerVersion()
	if err != nil {
		return w, err
	}
	minor, err := strconv.Atoi(strings.TrimRight(version.Minor, "+"))
	if err != nil {
		return w, fmt.Errorf("read the version %s: %w", version, err)
	}
	w.native = minor >= 29
	return w, w.install()
}

// addresses gives the loopback interface those of API server and replicas: an
// EndpointSlice takes none of 127.0.0.0/8.
func addresses() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	list := []string{apiAddress}
	for i := range replicaAddresses {
		list = append(list, fmt.Sprintf(replicaAddress, firstReplica+i))
	}
	for _, a := range list {
		addr, err := netlink.ParseAddr(a + "/32")
		if err != nil {
			return err
		}
		if err := netlink.AddrAdd(lo, addr); err != nil && !errors.Is(err, syscall.EEXIST) {
			return fmt.Errorf("add %s to the loopback interface: %w", a, err)
		}
	}
	return nil
}

func (w *world) startEtcd(path string) (err error) {
	w.etcd, err = startProcess(w.dir, "etcd", path, nil, "--data-dir", filepath.Join(w.dir, "etcd"), "--unsafe-no-fsync",
		"--listen-client-urls", etcdURL, "--advertise-client-urls", etcdURL, "--listen-peer-urls", etcdPeerURL,
		"--initial-advertise-peer-urls", etcdPeerURL, "--initial-cluster", "default="+etcdPeerURL)
	if err != nil {
		return err
	}
	return until(startPatience, func() error {
		resp, err := http.Get(etcdURL + "/health")
		if err != nil {
			return fmt.Errorf("%w\n%s", err, w.etcd.tail())
		}
		return resp.Body.Close()
	})
}

func (w *world) apiCertificate() string { return filepath.Join(w.dir, "apiserver.crt") }

// startAPI uses the default admission plugins, ServiceAccount among them. With
// --enable-aggregator-routing a webhook's Service is resolved to an endpoint by
// the API server itself, as there is no kube-proxy; managed clusters do so too.
func (w *world) startAPI(path string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	keyFile, tokens := filepath.Join(w.dir, "tokens.key"), filepath.Join(w.dir, "tokens.csv")
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if err := errors.Join(os.WriteFile(keyFile, private, 0o600),
		os.WriteFile(tokens, []byte(adminToken+",admin,admin,system:masters\n"), 0o600)); err != nil {
		return err
	}
	w.api, err = startProcess(w.dir, "kube-apiserver", path, nil, "--etcd-servers", etcdURL,
		"--bind-address=127.0.0.1", "--secure-port=6443", "--advertise-address="+apiAddress, "--endpoint-reconciler-type=none",
		"--cert-dir="+w.dir, "--token-auth-file="+tokens, "--authorization-mode=RBAC", "--anonymous-auth=false",
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file="+keyFile,
		"--service-account-signing-key-file="+keyFile, "--service-cluster-ip-range=10.96.0.0/16",
		"--enable-aggregator-routing=true", "--shutdown-delay-duration=0s", "--profiling=false")
	return err
}

// end ends both programs; the API server first, which would wait for etcd.
func (w *world) end() error {
	var errs []error
	if w.api != nil {
		// It would wait for watches to end, a minute; nothing of it is kept.
		errs = append(errs, w.api.stop(syscall.SIGKILL, 10*time.Second))
	}
	if w.etcd != nil {
		errs = append(errs, w.etcd.stop(syscall.SIGKILL, 10*time.Second))
	}
	return errors.Join(errs...)
}

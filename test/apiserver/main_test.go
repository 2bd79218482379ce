// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/sandbox"
)

const (
	webhookPackage = "github.com/multus-ip-registrar/multus-ip-registrar/cmd/webhook"
	networkModule  = "github.com/k8snetworkplumbingwg/network-attachment-definition-client"
	provider       = "scripts/apiserver.sh"
	// What the process outside tells the one inside; the last with a Helm's major
	// version behind it.
	dirEnv, etcdEnv, apiserverEnv, helmEnv = "APISERVER_TEST_DIR", "APISERVER_TEST_ETCD", "APISERVER_TEST_KUBE_APISERVER", "APISERVER_TEST_HELM_"
)

// What lies in the directory that both share.
const (
	webhookFile  = "webhook"
	networksFile = "networks-crd.yaml"
)

// cluster is what all tests share; missing says why there is none.
var (
	cluster *world
	missing string
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// run prepares outside of a sandbox what needs a network or a compiler, and runs
// the tests inside, once for each API server.
func run(m *testing.M) (code int, err error) {
	if sandbox.Inside() {
		return sandbox.Run(sandbox.Options{}, func() int { return inside(m) })
	}
	apiservers, etcd, err := programs()
	if err != nil {
		if os.Getenv("CI") == "true" {
			return 1, err
		}
		missing = err.Error()
		return m.Run(), nil // every test is skipped and says why
	}
	dir, err := os.MkdirTemp("", "apiserver-test-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := prepare(dir); err != nil {
		return 1, err
	}
	for i, apiserver := range apiservers {
		own := filepath.Join(dir, fmt.Sprint(i))
		if err := os.Mkdir(own, 0o700); err != nil {
			return 1, err
		}
		for k, v := range map[string]string{dirEnv: own, etcdEnv: etcd, apiserverEnv: apiserver} {
			if err := os.Setenv(k, v); err != nil {
				return 1, err
			}
		}
		start := time.Now()
		one, err := sandbox.Run(sandbox.Options{}, func() int { return 1 })
		if err != nil {
			return 1, err
		}
		version, err := output(apiserver, "--version")
		if err != nil {
			return 1, err
		}
		fmt.Printf("with %s: exit code %d in %v\n", strings.TrimSpace(string(version)), one, time.Since(start).Round(time.Second))
		code = max(code, one)
	}
	return code, nil
}

func inside(m *testing.M) (code int) {
	w, err := newWorld(os.Getenv(dirEnv), os.Getenv(etcdEnv), os.Getenv(apiserverEnv))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := w.end(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	cluster = w
	return m.Run()
}

// programs finds the kube-apiservers, the newest first, and etcd. Nothing is built by
// a test.
func programs() (apiservers []string, etcd string, err error) {
	cmd := exec.Command(filepath.Join(root, provider))
	cmd.Env = append(os.Environ(), "DEPS=0")
	out, err := cmd.Output()
	if err != nil {
		return nil, "", fmt.Errorf("there is no kube-apiserver or no etcd: run %s, once", provider)
	}
	for path := range strings.Lines(string(out)) {
		path = strings.TrimSpace(path)
		switch filepath.Base(path) {
		case "kube-apiserver":
			apiservers = append(apiservers, path)
		case "etcd":
			etcd = path
		}
	}
	if len(apiservers) < 2 || etcd == "" {
		return nil, "", fmt.Errorf("%s printed %q: not the paths of two kube-apiservers and etcd", provider, out)
	}
	return apiservers, etcd, nil
}

// root is the repository's, seen from here.
var root = filepath.Join("..", "..")

// prepare puts into dir the webhook and the definition of networks, and finds Helm.
func prepare(dir string) error {
	if _, err := output("go", "build", "-o", filepath.Join(dir, webhookFile), webhookPackage); err != nil {
		return err
	}
	for _, major := range helms {
		path, err := output(filepath.Join(root, "scripts", "helm.sh"), major)
		if err != nil {
			return err
		}
		if err := os.Setenv(helmEnv+major, strings.TrimSpace(string(path))); err != nil {
			return err
		}
	}
	module, err := output("go", "list", "-m", "-f", "{{.Dir}}", networkModule)
	if err != nil {
		return err
	}
	networks, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(module)), "artifacts", networksFile))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, networksFile), networks, 0o600)
}

// output runs a program and gives what it writes, with its complaints if it fails.
func output(name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, complaints.String())
	}
	return out, nil
}

// need is the first line of every test.
func need(t *testing.T) *world {
	t.Helper()
	if missing != "" {
		t.Skip(missing)
	}
	return cluster
}

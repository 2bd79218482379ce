// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/cluster"
)

// What scripts/e2e.sh tells.
const dirEnv, kubectlEnv, helmEnv = "E2E_DIR", "E2E_KUBECTL", "E2E_HELM"

const (
	release      = "multus-ip-registrar" // and its namespace
	chart        = "../../charts/multus-ip-registrar"
	registry     = "registry.example"
	ec2URL       = "http://192.0.2.10" // the default of package topology
	helmPatience = 3 * time.Minute
)

// the is the cluster of all stories.
var the struct {
	dir  string
	kube kubernetes.Interface
}

func TestMain(m *testing.M) {
	if err := setUp(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go endWithCluster()
	code := m.Run()
	printStarts()
	printGaps()
	os.Exit(code)
}

// endWithCluster ends the stories when there is no cluster any more.
func endWithCluster() {
	for ; ; time.Sleep(time.Second) {
		c, err := net.Dial("unix", filepath.Join(the.dir, cluster.ControlSocket))
		if err != nil {
			fmt.Fprintln(os.Stderr, "the cluster has ended:", err)
			os.Exit(1)
		}
		_ = c.Close()
	}
}

func setUp() error {
	for _, name := range []string{dirEnv, kubectlEnv, helmEnv} {
		if os.Getenv(name) == "" {
			return fmt.Errorf("%s is not set: run the stories by scripts/e2e.sh", name)
		}
	}
	the.dir = os.Getenv(dirEnv)
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig())
	if err != nil {
		return err
	}
	cfg.QPS, cfg.WarningHandler = -1, rest.NoWarnings{}
	if the.kube, err = kubernetes.NewForConfig(cfg); err != nil {
		return err
	}
	return install()
}

func kubeconfig() string { return filepath.Join(the.dir, "kubeconfig") }

// install installs the chart as a user would, if it is not there.
func install() error {
	if _, err := helm("status", release); err == nil {
		return nil
	}
	begin := time.Now()
	_, err := helm("install", release, chart, "--create-namespace", "--wait", "--timeout", helmPatience.String(),
		"--set", "imageRegistry="+registry, "--set", "registrar.env.AWS_ENDPOINT_URL_EC2="+ec2URL)
	if err != nil {
		pods, _ := kubectl("", "--namespace", release, "describe", "pods")
		logs, _ := kubectl("", "--namespace", release, "logs", "deployment/"+release, "--tail=20")
		return fmt.Errorf("%w\n%s\n%s", err, pods, logs)
	}
	fmt.Printf("the chart is installed and its webhook ready, %.1f s\n", time.Since(begin).Seconds())
	return nil
}

// helm runs Helm for the release's namespace.
func helm(args ...string) (string, error) {
	home := filepath.Join(the.dir, "helm")
	cmd := exec.Command(os.Getenv(helmEnv), append(args, "--namespace", release)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "KUBECONFIG=" + kubeconfig()}
	return output(cmd)
}

// kubectl runs kubectl with an input, as the administrator.
func kubectl(input string, args ...string) (string, error) {
	cmd := exec.Command(os.Getenv(kubectlEnv), append([]string{"--kubeconfig", kubeconfig()}, args...)...)
	cmd.Env = []string{"HOME=" + filepath.Join(the.dir, "kubectl")}
	cmd.Stdin = strings.NewReader(input)
	return output(cmd)
}

// output is what a command writes, with its complaints in the error.
func output(cmd *exec.Cmd) (string, error) {
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("%s: %w\n%s%s", strings.Join(cmd.Args, " "), err, out, complaints.String())
	}
	return string(out), nil
}

// until asks again and again, and fails the test with what was the matter when
// time is up.
func until(t *testing.T, patience time.Duration, ask func() error) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("after %v: %v", patience, err)
		}
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

const (
	webPort, opsPort = 9443, 8080
	// drain is shorter than the installation's, since here a controller takes
	// lag to change the EndpointSlice, and no kube-proxy has to follow. It is
	// long enough for an API server on a busy machine to use every connection
	// that it keeps, and so to give it up: one that is closed unused loses the
	// request that is just being sent on it.
	drain, lag = 4 * time.Second, 500 * time.Millisecond
	// endPatience is drain and the time for what is under way.
	endPatience = drain + 10*time.Second
)

// A replica is one process of the webhook, with an address of its own.
type replica struct {
	*process
	address string
}

var replicasMade int

// replica starts one as the Deployment says, with the rights of its ServiceAccount,
// and waits until it says that it is ready.
func (w *world) replica(t *testing.T, more ...string) *replica {
	t.Helper()
	r := &replica{address: fmt.Sprintf(replicaAddress, firstReplica+replicasMade%replicaAddresses)}
	replicasMade++
	name := fmt.Sprintf("webhook-%d", replicasMade)
	template := w.installed.deployment.Spec.Template.Spec
	c := template.Containers[0]
	// The last of a flag counts.
	args := append(slices.Concat(c.Args, more), "--kubeconfig="+w.kubeconfig(t, name, template.ServiceAccountName),
		fmt.Sprintf("--address=%s:%d", r.address, webPort), fmt.Sprintf("--ops-address=%s:%d", r.address, opsPort),
		"--drain-delay="+drain.String())
	var err error
	if r.process, err = startProcess(w.dir, name, w.webhook, environment(c), args...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if r.running() {
			_ = r.stop(syscall.SIGKILL, endPatience) // who wants to see how it ends has ended it
		}
		if t.Failed() {
			t.Log(r.tail())
		}
	})
	err = until(20*time.Second, func() error {
		if !r.running() {
			return fmt.Errorf("it has ended: %w", r.err)
		}
		_, err := r.get("/readyz")
		return err
	})
	if err != nil {
		t.Fatalf("%s is not ready: %v\n%s", name, err, r.tail())
	}
	return r
}

// environment is the container's, as a kubelet makes it.
func environment(c corev1.Container) []string {
	fields := map[string]string{"metadata.namespace": system, "metadata.name": "webhook-0", "status.podIP": apiAddress, "spec.nodeName": "worker"}
	var out []string
	for _, e := range c.Env {
		value := e.Value
		if e.ValueFrom != nil && e.ValueFrom.FieldRef != nil {
			value = fields[e.ValueFrom.FieldRef.FieldPath]
		}
		out = append(out, e.Name+"="+value)
	}
	return out
}

// kubeconfig holds a token of the ServiceAccount, and nothing else.
func (w *world) kubeconfig(t *testing.T, name, account string) string {
	t.Helper()
	token, err := w.kube.CoreV1().ServiceAccounts(system).CreateToken(t.Context(), account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters["c"] = &clientcmdapi.Cluster{Server: apiURL, CertificateAuthority: w.apiCertificate()}
	cfg.AuthInfos["u"] = &clientcmdapi.AuthInfo{Token: token.Status.Token}
	cfg.Contexts["x"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "u"}
	cfg.CurrentContext = "x"
	file := w.dir + "/" + name + ".kubeconfig"
	if err := clientcmd.WriteToFile(*cfg, file); err != nil {
		t.Fatal(err)
	}
	return file
}

// get asks the replica's second port.
func (r *replica) get(path string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s:%d%s", r.address, opsPort, path), nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, raw)
	}
	return string(raw), err
}

// admissions is how many reviews it has answered.
func (r *replica) admissions(t *testing.T) int {
	t.Helper()
	text, err := r.get("/metrics")
	if err != nil {
		t.Fatal(err)
	}
	total := 0.0
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "multus_ip_registrar_webhook_admissions_total{") {
			n, err := strconv.ParseFloat(lines.Text()[strings.LastIndex(lines.Text(), " ")+1:], 64)
			if err != nil {
				t.Fatal(err)
			}
			total += n
		}
	}
	return int(total)
}

// terminate ends it by SIGTERM, and it must end well.
func (r *replica) terminate(t *testing.T) {
	t.Helper()
	if err := r.stop(syscall.SIGTERM, endPatience); err != nil {
		t.Errorf("%s: %v", r.name, err)
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Command node makes a Kubernetes worker of a User-Mode Linux guest: it names
// and configures the network interfaces, runs containerd and the kubelet, and
// does on request what an operator at the console would.
//
// With an argument it makes a worker of this machine: as the first process of
// namespaces of its own, one of whose network has its interfaces already. The
// argument is the directory to be seen as config.Share.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/node/config"
)

func main() {
	if err := run(); err != nil {
		say("FAILED: %v", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) > 1 {
		if err := mountNative(os.Args[1]); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(filepath.Join(config.Share, config.File))
	if err != nil {
		return err
	}
	var n config.Node
	if err := json.Unmarshal(text, &n); err != nil {
		return fmt.Errorf("read %s: %w", config.File, err)
	}
	if err := prepare(n); err != nil {
		return err
	}
	if err := network(n); err != nil {
		return err
	}
	say("the network is up")
	agent, err := listen(n)
	if err != nil {
		return err
	}
	containerd := newService(n, "containerd", "--config", filepath.Join(config.Share, config.ContainerdConfig))
	containerd.start()
	clock := make(chan error, 1)
	if n.Native {
		clock <- nil // it is this machine's
	} else {
		go func() { clock <- setClock() }()
	}
	if err := errors.Join(importImages(n), <-clock); err != nil {
		return err
	}
	say("the images are there")
	kubelet := newService(n, "kubelet", "--config="+filepath.Join(config.Share, config.KubeletConfig),
		"--kubeconfig="+filepath.Join(config.Share, config.Kubeconfig), "--hostname-override="+n.Name,
		"--node-ip="+n.Primary.Addr().String(), "--node-labels="+config.Labels, "--v=2")
	kubelet.start()
	say("the kubelet is started")
	return agent.serve(map[string]*service{"containerd": containerd, "kubelet": kubelet})
}

// say tells the time since the start of the node.
func say(format string, args ...any) {
	uptime, _ := os.ReadFile("/proc/uptime") // a line without its time is better than none
	seconds, _, _ := strings.Cut(string(uptime), " ")
	fmt.Printf("%7ss %s\n", seconds, fmt.Sprintf(format, args...))
}

// until asks again and again, and tells what was the matter when time is up.
func until(patience time.Duration, ask func() error) error {
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		err := ask()
		if err == nil || time.Now().After(end) {
			return err
		}
	}
}

// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/cgroups"
	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/node/config"
	"github.com/multus-ip-registrar/multus-ip-registrar/test/uml"
)

const (
	// workerMemoryMiB is for the programs, some 300 MiB, and for images and
	// containers, whose files are in memory too.
	workerMemoryMiB = 1536
	// forever is longer than anybody plays with a cluster.
	forever = 30 * 24 * time.Hour
)

// nodeProgram is the name of the worker's own program in its share.
const nodeProgram = "node"

// A worker is one virtual machine, or runs on this machine's own kernel.
type worker struct {
	name    string
	native  bool
	cluster *Cluster
	booted  time.Time

	mu       sync.Mutex
	ended    chan struct{} // closed when the power is off; nil before the first boot
	err      error         // why it is; valid once ended is closed
	powerOff context.CancelFunc
}

// share is the directory that the worker sees as config.Share.
func (w *worker) share() string { return filepath.Join(w.cluster.opts.Dir, w.name) }

// machine is the directory of a running virtual machine.
func (w *worker) machine() string { return filepath.Join(w.cluster.opts.Dir, w.name+"-machine") }

// prepare writes what the worker reads.
func (w *worker) prepare() error {
	c := w.cluster
	address := c.address(w.name)
	files := map[string]string{
		config.ContainerdConfig: containerdConfig(c.opts.Programs, w.native),
		config.KubeletConfig:    kubeletConfig,
	}
	if w.native {
		files[config.KubeletConfig] += nativeKubeletConfig(groups(c.opts.Dir))
		if err := cgroups.Make(groups(c.opts.Dir)); err != nil {
			return err
		}
	}
	pods, err := w.podRange()
	if err != nil {
		return err
	}
	networks, err := networkFiles(pods, c.opts.Programs)
	if err != nil {
		return err
	}
	for name, text := range networks {
		files[filepath.Join(config.NetworkFiles, name)] = text
	}
	node, err := json.MarshalIndent(config.Node{
		Name: w.name, Native: w.native, Programs: c.opts.Programs, Primary: address, Gateway: address.Masked().Addr().Next(),
	}, "", "  ")
	if err != nil {
		return err
	}
	files[config.File] = string(node)
	for name, text := range files {
		path := filepath.Join(w.share(), name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := os.Link(c.opts.Images, filepath.Join(w.share(), config.Images)); err != nil {
		return fmt.Errorf("give %s the images: %w", w.name, err)
	}
	if err := os.Link(c.opts.Node, filepath.Join(w.share(), nodeProgram)); err != nil {
		return fmt.Errorf("give %s its program: %w", w.name, err)
	}
	if err := c.kubeconfig(filepath.Join(w.share(), config.Kubeconfig), w.name, c.apiAddress(), ""); err != nil {
		return err
	}
	return c.kubeconfig(filepath.Join(w.share(), config.NetworkFiles, multusKubeconfig), "admin", c.apiAddress(), "")
}

// boot switches the power on.
func (w *worker) boot() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended != nil && w.failed() == nil {
		return fmt.Errorf("boot %s: its power is on", w.name)
	}
	console, err := os.OpenFile(filepath.Join(w.share(), "console.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	run := w.runGuest
	if w.native {
		run = w.runNative
	}
	ctx, cut := context.WithCancel(context.Background())
	ended := make(chan struct{})
	w.ended, w.powerOff, w.booted = ended, cut, time.Now()
	go func() {
		code, err := run(ctx, console)
		w.err = errors.Join(fmt.Errorf("worker %s is off, exit code %d of its agent", w.name, code), err, console.Close())
		close(ended)
	}()
	return nil
}

// runGuest runs the virtual machine until it ends, or ctx does.
func (w *worker) runGuest(ctx context.Context, console *os.File) (exitCode int, err error) {
	if err := errors.Join(os.RemoveAll(w.machine()), os.Mkdir(w.machine(), 0o700)); err != nil {
		return 0, err
	}
	where := w.cluster.sim.Fabric.Worker(w.name)
	command := uml.Command{
		Args: []string{filepath.Join(config.Share, nodeProgram)}, Share: w.share(), Output: console,
		Modules:   []string{"overlay", "veth", "bridge", "ipvlan"},
		MemoryMiB: workerMemoryMiB, Limit: forever, Start: where.Start, Directory: w.machine(),
	}
	for _, nic := range where.NICs() {
		command.KernelArgs = append(command.KernelArgs, nic.UML())
	}
	return w.cluster.kernel.Run(ctx, command)
}

// failed is an error where the power is off.
func (w *worker) failed() error {
	select {
	case <-w.ended:
		return w.err
	default:
		return nil
	}
}

// cut is a power cut: nobody in the worker hears of it. The VPC still has its
// ENIs with all their addresses.
func (w *worker) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended == nil {
		return
	}
	w.powerOff()
	<-w.ended
}

// plug attaches an ENI to the running worker that unplug has detached.
func (w *worker) plug(ctx context.Context, eni string) error {
	nic, err := w.cluster.sim.Fabric.Worker(w.name).NIC(eni)
	if err != nil {
		return err
	}
	_, err = uml.Manage(ctx, w.machine(), "config "+nic.UML())
	return err
}

// unplug detaches an ENI, whose interface must be down.
func (w *worker) unplug(ctx context.Context, eni string) error {
	nic, err := w.cluster.sim.Fabric.Worker(w.name).NIC(eni)
	if err != nil {
		return err
	}
	_, err = uml.Manage(ctx, w.machine(), fmt.Sprintf("remove vec%d", nic.Index))
	return err
}
